"""From the graphs' tensors to words, the same for PyTorch, ONNX and OpenVINO."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from text_spotting.decoding import Reading
from text_spotting.frames import reading_frame
from text_spotting.geometry import area, box_to_polygon, clip_to_image, intersection_area, min_area_rect
from text_spotting.manifest import Manifest
from text_spotting.words import FloatArray, Word

LOGGER = logging.getLogger(__name__)

_UPSCALE = 4
"""Masks are outlined on a grid this much finer than their own, whatever the word's size in the image."""

_MAX_CHANNELS = 128
"""OpenCV 5 resizes at most this many planes at once; 4 took 512."""

_CELL_CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)

_INSIDE_IOF = 0.7
"""Share of a word's area from which on it lies in another."""


def select(boxes: FloatArray, manifest: Manifest) -> NDArray[np.intp]:
    """Return the rows of ``boxes`` [N, 5] that count as detections, in their order.

    Rows without area are padding of fixed-size outputs, whatever their score. An image that reaches the manifest's
    ``max_words`` is said in a warning.
    """
    x1, y1, x2, y2, score = np.asarray(boxes, np.float32).reshape(-1, 5).T
    has_area = (x2 > x1) & (y2 > y1)
    if has_area.sum() >= manifest.max_words:
        LOGGER.warning(
            "an image holds as many words as the model finds at most, %d: some may be missing; export it with a larger"
            " max_words, or read the image in tiles",
            manifest.max_words,
        )
    return np.flatnonzero((score > manifest.score_thr) & has_area)


def to_image(boxes: FloatArray, scale: tuple[float, float]) -> FloatArray:
    """Boxes [N, 5] from input pixels to those of an image that was scaled by these factors (x, y)."""
    return np.asarray(boxes / np.array([*scale, *scale, 1], np.float32), np.float32)


def to_words(
    boxes: FloatArray,
    masks: FloatArray,
    frames: FloatArray,
    readings: Sequence[Reading],
    *,
    image_size: tuple[int, int],
    manifest: Manifest,
) -> list[Word]:
    """Turn selected detections into words in pixels of the image.

    A word's polygon is the smallest rotated rectangle around the visible part of its mask's largest region, or of
    its box where the mask is empty; it starts at the top left of the text, as its frame lies. The score weighs the
    detection's with the reading's, for what can be read is a word; words below ``word_thr`` are left out. A text read
    with less than ``text_thr`` is dropped.

    Words that were found as one are taken apart where their reading has parts, but for those that were found on their
    own, too. What reads as two or more others in it do when joined is left out, even where these are too doubtful to be
    kept; and so is what reads as a piece of a larger and surer word that it lies in.

    Args:
        boxes: [N, 5] x1, y1, x2, y2, score in pixels of the image, see ``to_image``.
        masks: [N, M, M] probabilities over each box.
        frames: [N, 3, 2] that they were read in.
        readings: N.
        image_size: width, height of the image.
        manifest: supplies ``mask_thr``, ``text_thr``, ``text_weight`` and ``word_thr``.
    """
    regions = _regions(masks, manifest.mask_thr)
    found, pieces = [], []
    for box, region, frame, reading in zip(boxes, regions, frames, readings, strict=True):
        points = clip_to_image(_region_corners(np.asarray(box[:4], np.float32), region), *image_size)
        polygon = min_area_rect(points, frame[1])
        parts = _parts(polygon, frame, reading, float(box[4]), manifest)
        pieces += parts
        if not parts:
            found.append(_word(polygon, reading, float(box[4]), manifest))
    everything = [*found, *pieces]
    kept = [word for word in found if word.score >= manifest.word_thr and not _joins(word, everything)]
    kept += _new(kept, [piece for piece in pieces if piece.score >= manifest.word_thr])
    return [word if word.text_score >= manifest.text_thr else _unread(word) for word in _without_pieces(kept)]


def _parts(
    polygon: FloatArray, frame: FloatArray, reading: Reading, box_score: float, manifest: Manifest
) -> list[Word]:
    """The words that one turned out to be; none where nothing of them would be left."""
    cuts = [_cut(polygon, frame, part.start, part.end) for part in reading.parts]
    if any(float(np.linalg.norm(cut[1] - cut[0])) < _SHORTEST for cut in cuts):
        return []
    words = [_word(cut, part.reading, box_score, manifest) for cut, part in zip(cuts, reading.parts, strict=True)]
    return words if any(word.score >= manifest.word_thr for word in words) else []


_SHORTEST = 1.0
"""Length in pixels of a word that is cut out of another."""


def _word(polygon: FloatArray, reading: Reading, box_score: float, manifest: Manifest) -> Word:
    score = box_score ** (1 - manifest.text_weight) * reading.score**manifest.text_weight
    return Word(polygon, reading.text, score, text_score=reading.score, char_scores=reading.char_scores)


def _cut(polygon: FloatArray, frame: FloatArray, start: float, end: float) -> FloatArray:
    """The part of a rectangle (4, 2), its first side along the text, from one share of its frame (3, 2) to another."""
    corner, along, across = frame
    side, down = polygon[1] - polygon[0], polygon[3] - polygon[0]
    middle = corner + across / 2 - polygon[0] - down / 2
    length = max(float(side @ side), _LEAST)
    first, last = (
        min(max(float((middle + along * share) @ side) / length, 0.0), 1.0) if 0 < share < 1 else float(share >= 1)
        for share in (start, end)
    )
    left, right = polygon[0] + side * first, polygon[0] + side * last
    return np.array([left, right, right + down, left + down], np.float32)


_LEAST = 1e-3


def _new(words: Sequence[Word], pieces: Sequence[Word]) -> list[Word]:
    """Those words cut out of others, each once, that lie where no other was found."""
    everything = [*words, *pieces]
    near = _near(everything)
    counts = np.arange(len(everything)) < len(words)
    for row in range(len(words), len(everything)):
        others = np.flatnonzero(counts & near[row])
        counts[row] = not any(_found_twice(everything[row], everything[other]) for other in others)
    return [everything[row] for row in np.flatnonzero(counts) if row >= len(words)]


def _near(words: Sequence[Word]) -> NDArray[np.bool_]:
    """[N, N] which words may overlap, by their bounds."""
    bounds = np.array([word.box for word in words], np.float32).reshape(-1, 4)
    before = (bounds[:, None, :2] < bounds[None, :, 2:]).all(axis=2)
    return np.asarray(before & before.T)


def _found_twice(piece: Word, word: Word) -> bool:
    """Whether a word that was cut out of something lies where another one does."""
    shared = intersection_area(piece.polygon, word.polygon)
    if not shared:
        return False
    size = area(piece.polygon)
    return shared > _INSIDE_IOF * size or shared > _SAME_IOU * (size + area(word.polygon) - shared)


_SAME_IOU = 0.5
"""Intersection over union from which on two words are one."""


def _unread(word: Word) -> Word:
    return replace(word, text="", char_scores=())


def _joins(word: Word, words: Sequence[Word]) -> bool:
    """Whether a word is several others that lie in it, found as one: it reads as they do one after the other."""
    parts: list[Word] = []
    for other in words:
        if _may_be_part(other, word) and not any(_found_twice(other, part) for part in parts):
            parts.append(other)
    if len(parts) < 2:
        return False
    _, along, _ = reading_frame(word.polygon)
    parts.sort(key=lambda part: float(part.polygon.mean(axis=0) @ along))
    return "".join(part.text for part in parts) == word.text


def _without_pieces(words: Sequence[Word]) -> list[Word]:
    """All but those that are pieces of larger words, at least as sure."""
    areas, scores = np.array([area(word.polygon) for word in words]), np.array([word.score for word in words])
    larger = _near(words) & (areas[:, None] < areas[None]) & (scores[:, None] <= scores[None])
    pieces = {
        int(row)
        for row, other in np.argwhere(larger)
        if words[row].text and words[row].text in words[other].text and _lies_in(words[row], words[other])
    }
    return [word for row, word in enumerate(words) if row not in pieces]


def _may_be_part(part: Word, whole: Word) -> bool:
    if not part.text or part.text not in whole.text or len(part.text) == len(whole.text):
        return False
    return _lies_in(part, whole)


def _lies_in(part: Word, whole: Word) -> bool:
    return intersection_area(part.polygon, whole.polygon) > _INSIDE_IOF * area(part.polygon)


def _regions(masks: FloatArray, threshold: float) -> list[NDArray[np.uint8]]:
    """Binary masks on the finer grid, resized many at a time: a call costs more than a plane."""
    regions: list[NDArray[np.uint8]] = []
    for start in range(0, len(masks), _MAX_CHANNELS):
        planes = np.asarray(masks[start : start + _MAX_CHANNELS], np.float32).transpose(1, 2, 0)
        rows, columns, count = planes.shape
        fine = cv2.resize(np.ascontiguousarray(planes), (columns * _UPSCALE, rows * _UPSCALE))
        binary = (fine.reshape(*fine.shape[:2], count) > threshold).astype(np.uint8)
        regions.extend(np.ascontiguousarray(binary.transpose(2, 0, 1)))
    return regions


def _region_corners(box: FloatArray, region: NDArray[np.uint8]) -> FloatArray:
    """Corners (K, 2) of the cells along the largest part of ``region``, which spans ``box``; else the box's four."""
    contours, _ = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return box_to_polygon(box)
    cells = max(contours, key=cv2.contourArea).reshape(-1, 2).astype(np.float32)
    # A contour runs through cells, but cells have corners: without them every word loses half a cell a side.
    corners = (cells[:, None] + _CELL_CORNERS).reshape(-1, 2)
    grid = np.array(region.shape[::-1], np.float32)
    return np.asarray(box[:2] + corners * (box[2:] - box[:2]) / grid, np.float32)
