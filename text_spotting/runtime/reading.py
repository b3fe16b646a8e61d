"""Reading found words: symbol by symbol from their features, or at once from the image's own pixels."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from text_spotting.constraints import Lexicon, Nearest
from text_spotting.contract import Engine, initial_hidden
from text_spotting.decoding import Classes, Reading, ctc_columns, ctc_decode, greedy_decode
from text_spotting.frames import cut_out, upside_down, widen
from text_spotting.words import FloatArray, Image

HEIGHT = 32
"""Of every crop that a recognizer is shown, in pixels."""
WIDTHS = tuple(range(32, 321, 16))
"""Widths of crops; a word is scaled to the nearest, so that words of like shape make a batch."""
MOST_CROPS = 64
"""In one batch."""


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
        return PixelReadings([], frames)
    standing = np.flatnonzero(stands(frames))
    candidates = np.concatenate([frames, upside_down(frames[standing])])
    read = _recognize(engine, image, widen(candidates, engine.manifest.read_margin), allowed, lexicon)
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
    for rows, crops in word_crops(image, frames, engine.manifest.read_stretch):
        columns = engine.recognize(crops)
        found = ctc_decode(columns, engine.manifest, allowed)
        if lexicon is not None:
            found = _moved(found, lexicon.nearest_ctc(ctc_columns(columns, engine.manifest, allowed)))
        read.update(zip(rows, found, strict=True))
    return [read[row] for row in range(len(frames))]


def word_crops(image: Image, frames: FloatArray, stretch: float) -> Iterator[tuple[Sequence[int], Image]]:
    """Cut words out, narrow ones first: rows of ``frames`` [N, 3, 2] and their crops (n, 32, W, 3) of one width."""
    by_width: defaultdict[int, list[int]] = defaultdict(list)
    for row, width in enumerate(crop_widths(frames, stretch)):
        by_width[int(width)].append(row)
    for width, rows in sorted(by_width.items()):
        for start in range(0, len(rows), MOST_CROPS):
            part = rows[start : start + MOST_CROPS]
            yield part, np.stack([cut_out(image, frames[row], (HEIGHT, width)) for row in part])


def crop_widths(frames: FloatArray, stretch: float) -> NDArray[np.int64]:
    """The one of ``WIDTHS`` [N] that suits the shape of each frame [N, 3, 2] best, made wider by ``stretch``."""
    along, across = np.linalg.norm(frames[:, 1], axis=1), np.linalg.norm(frames[:, 2], axis=1)
    wanted = HEIGHT * stretch * along / np.maximum(across, 1e-3)
    widths = np.array(WIDTHS, np.int64)
    return np.asarray(widths[np.abs(widths - wanted[:, None]).argmin(axis=1)])
