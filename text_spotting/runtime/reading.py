"""Reading found words: at once from the image's own pixels, or symbol by symbol from their features."""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from text_spotting.constraints import Lexicon, Nearest
from text_spotting.contract import Engine, initial_hidden
from text_spotting.decoding import Classes, Part, Reading, ctc_columns, ctc_decode, greedy_decode, word_ranges
from text_spotting.frames import cut_out, upside_down, widen
from text_spotting.manifest import Manifest
from text_spotting.words import FloatArray, Image

HEIGHT = 32
"""Of every crop that a recognizer is shown, in pixels."""
WIDTHS = (32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
"""Widths of crops; a word is scaled to the nearest, so that words of like shape make a batch."""
LEAST_STRETCH, FULL_HEIGHT = 0.75, 24
"""A word ``FULL_HEIGHT`` pixels high keeps its shape; smaller ones, which show less, are squeezed down to that, and
larger ones stretched up to the manifest's ``read_stretch``."""
SURE, HOPELESS = 0.85, 0.1
"""Words read from pixels with a score from ``SURE`` on, or below ``HOPELESS``, are not read again from features."""
FOUND_FOR_SURE, UNREADABLE = 0.9, 0.6
"""Words whose box has at least the one score, and whose reading less than the other, are read upside down, too."""
MOST_CROPS, _FEWEST_CROPS = 8, 2
"""In one batch: more are hardly faster, and a back end plans anew for every size that it has not seen. Words are shared
out to what is computed side by side, but not to batches of less than the second."""
CALL_COST = 48
"""What a batch costs beside its pixels, as columns of them."""
WIDENED = 1.5
"""A word is made at most this many times as wide as it should be to be read together with wider ones."""


def read_features(
    engine: Engine, text_features: FloatArray, allowed: Classes | None = None, lexicon: Lexicon | None = None
) -> list[Reading]:
    """Read words [N, C, h, w] with the engine's encoder and decoder."""
    count = len(text_features)
    if not count:
        return []
    with engine.encode(text_features) as memory:
        step = partial(engine.step, memory)
        read = greedy_decode(step, initial_hidden(count, engine.hidden_size), count, engine.manifest, allowed)
    if lexicon is None:
        return read
    return _moved(read, lexicon.nearest_steps([reading.distributions for reading in read]))


def _moved(readings: Sequence[Reading], nearest: Sequence[Nearest]) -> list[Reading]:
    """Readings as the words of a list that they are taken for."""
    return [
        replace(
            reading,
            text=word.text,
            score=word.confidence,
            char_scores=reading.char_scores if len(word.text) == len(reading.text) else (),
        )
        for reading, word in zip(readings, nearest, strict=True)
    ]


def read_twice(
    engine: Engine,
    image: Image,
    frames: FloatArray,
    box_scores: FloatArray,
    text_features: FloatArray,
    allowed: Classes | None = None,
    lexicon: Lexicon | None = None,
) -> "PixelReadings":
    """Read words from their pixels, and those that are doubtful from their features, too.

    Of two readings the surer one is kept; where they differ its score is the geometric mean of both. What surely is a
    word and cannot be read may be upside down. What turns out to be several words is not read again.

    Args:
        image: (H, W, 3) that ``frames`` [N, 3, 2] lie in.
        box_scores: [N].
        text_features: [N, C, h, w].
    """
    readings, kept = read_pixels(engine, image, frames, allowed, lexicon)
    odd = [row for row, reading in enumerate(readings) if reading.score < UNREADABLE]
    turned = [row for row in odd if box_scores[row] >= FOUND_FOR_SURE and not stands(frames[row : row + 1])[0]]
    over = read_pixels(engine, image, upside_down(frames[turned]), allowed, lexicon)
    for row, other, frame in zip(turned, over.readings, over.frames, strict=True):
        if other.text and other.score >= SURE:
            readings[row], kept[row] = other, frame
    again = doubtful(readings)
    for row, other in zip(again, read_features(engine, text_features[again], allowed, lexicon), strict=True):
        if other.score > readings[row].score:
            kept[row] = frames[row]
        readings[row] = agreed(other, readings[row])
    return PixelReadings(readings, kept)


def doubtful(readings: Sequence[Reading]) -> NDArray[np.intp]:
    """Rows of what the recognizer has read and the decoder is to read, too."""
    scores = np.array([reading.score for reading in readings], np.float32)
    whole = np.array([not reading.parts for reading in readings], bool)
    return np.flatnonzero((scores < SURE) & (scores >= HOPELESS) & whole)


def agreed(first: Reading, second: Reading) -> Reading:
    """The surer of two readings of a word, as sure as they are together."""
    surer = max(first, second, key=lambda reading: reading.score)
    return surer if first.text == second.text else replace(surer, score=math.sqrt(first.score * second.score))


def shape_of(frames: FloatArray) -> FloatArray:
    """How many times as long as high [N] frames [N, 3, 2] are."""
    along, across = np.linalg.norm(frames[:, 1], axis=1), np.linalg.norm(frames[:, 2], axis=1)
    return np.asarray(along / np.maximum(across, _THINNEST), np.float32)


_THINNEST = 1e-3


class PixelReadings(NamedTuple):
    """Readings of N words and the frames [N, 3, 2] they were read in: those given, some of them upside down."""

    readings: list[Reading]
    frames: FloatArray


def read_pixels(
    engine: Engine,
    image: Image,
    frames: FloatArray,
    allowed: Classes | None = None,
    lexicon: Lexicon | None = None,
) -> PixelReadings:
    """Read words in their frames [N, 3, 2] of an image (H, W, 3) with the engine's recognizer.

    A word that stands on end runs up as often as down: it is read both ways, and the surer reading is kept.
    """
    if not len(frames):
        return PixelReadings([], frames.copy())
    standing = np.flatnonzero(stands(frames))
    candidates = np.concatenate([frames, upside_down(frames[standing])])
    margin = engine.manifest.read_margin
    found = _recognize(engine, image, widen(candidates, margin), allowed, lexicon)
    read = [_in_frame(reading, frame, margin) for reading, frame in zip(found, candidates, strict=True)]
    readings, kept = read[: len(frames)], frames.copy()
    for row, other in zip(standing, range(len(frames), len(candidates)), strict=True):
        if _certainty(read[other]) > _certainty(readings[row]):
            readings[row], kept[row] = read[other], candidates[other]
    return PixelReadings(readings, kept)


def stands(frames: FloatArray) -> NDArray[np.bool_]:
    """Which frames [N, 3, 2] have text that runs more up or down than sideways."""
    along = np.abs(frames[:, 1])
    return np.asarray(along[:, 1] > along[:, 0])


def _certainty(reading: Reading) -> tuple[bool, float]:
    return bool(reading.text), reading.score


def _recognize(
    engine: Engine, image: Image, frames: FloatArray, allowed: Classes | None, lexicon: Lexicon | None
) -> list[Reading]:
    read: dict[int, Reading] = {}
    most = max(_FEWEST_CROPS, min(MOST_CROPS, math.ceil(len(frames) / engine.parallel)))

    def read_batch(batch: tuple[Sequence[int], Image]) -> None:
        rows, crops = batch
        for row, word in zip(rows, engine.recognize(crops), strict=True):
            read[row] = _decode_word(word, engine.manifest, allowed, lexicon)

    with ThreadPoolExecutor(engine.parallel, thread_name_prefix="words") as pool:
        for _ in pool.map(read_batch, word_crops(image, frames, engine.manifest.read_stretch, most)):
            pass
    return [read[row] for row in range(len(frames))]


def _decode_word(columns: FloatArray, manifest: Manifest, allowed: Classes | None, lexicon: Lexicon | None) -> Reading:
    """Read columns [T, classes] as one word, and as several where words meet."""
    whole = _decode(columns, manifest, allowed, lexicon)
    ranges = word_ranges(columns, manifest, allowed)
    if len(ranges) < 2:
        return whole
    count = len(columns)
    read = [_decode(columns[start:end], manifest, allowed, lexicon) for start, end in ranges]
    if lexicon is not None and whole.score >= min(part.score for part in read):
        return whole  # a word of the list, whatever stands in it
    parts = [Part(start / count, end / count, part) for (start, end), part in zip(ranges, read, strict=True)]
    return replace(whole, parts=tuple(parts))


def _decode(columns: FloatArray, manifest: Manifest, allowed: Classes | None, lexicon: Lexicon | None) -> Reading:
    """Read columns [T, classes] as one word."""
    found = ctc_decode(columns[None], manifest, allowed)
    if lexicon is not None:
        found = _moved(found, lexicon.nearest_ctc(ctc_columns(columns[None], manifest, allowed)))
    return found[0]


def _in_frame(reading: Reading, frame: FloatArray, margin: float) -> Reading:
    """With parts as shares of the frame (3, 2) rather than of what was shown, which has a margin."""
    if not reading.parts:
        return reading
    around = margin / max(float(shape_of(frame[None])[0]), _THINNEST)
    longer = 1 + 2 * around
    parts = [Part(part.start * longer - around, part.end * longer - around, part.reading) for part in reading.parts]
    return replace(reading, parts=tuple(parts))


def word_crops(
    image: Image, frames: FloatArray, stretch: float, most: int = MOST_CROPS
) -> Iterator[tuple[Sequence[int], Image]]:
    """Cut words out, wide ones first: rows of ``frames`` [N, 3, 2] and their crops (n, 32, W, 3) of one width."""
    for width, rows in batches(crop_widths(frames, stretch), most):
        yield rows, np.stack([cut_out(image, frames[row], (HEIGHT, width)) for row in rows])


def batches(widths: NDArray[np.int64], most: int = MOST_CROPS) -> list[tuple[int, list[int]]]:
    """Put words of widths [N] into batches of one width and at most so many, for the least columns and calls.

    By dynamic programming: the widest words of the best batches are again in the best batches.
    """
    order = np.argsort(-widths, kind="stable")
    wide = widths[order].tolist()
    costs, starts = [0], [0]
    for end in range(1, len(wide) + 1):
        fitting = [start for start in range(max(0, end - most), end) if wide[start] <= WIDENED * wide[end - 1]]
        cost, start = min((costs[start] + CALL_COST + wide[start] * (end - start), start) for start in fitting)
        costs.append(cost)
        starts.append(start)
    found: list[tuple[int, list[int]]] = []
    end = len(wide)
    while end:
        start = starts[end]
        found.insert(0, (wide[start], order[start:end].tolist()))
        end = start
    return found


def crop_widths(frames: FloatArray, most: float) -> NDArray[np.int64]:
    """The one of ``WIDTHS`` [N] that suits each frame [N, 3, 2] best.

    Args:
        most: how many times wider than its shape a crop may be made; see ``LEAST_STRETCH`` for which are.
    """
    heights = np.linalg.norm(frames[:, 2], axis=1)
    stretch = np.clip(heights / FULL_HEIGHT, min(LEAST_STRETCH, most), most)
    widths = np.array(WIDTHS, np.int64)
    return np.asarray(widths[np.abs(widths - (HEIGHT * stretch * shape_of(frames))[:, None]).argmin(axis=1)])
