"""Moving words from one frame of a video to a later one, by where what is in them has gone.

Points in each word are followed by sparse optical flow (Lucas and Kanade 1981, in pyramids as Bouguet 2000).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from text_spotting.frames import reading_frame
from text_spotting.words import FloatArray, Image, Word

_LONGER_SIDE = 640
"""Of a view, in pixels: flow on more of them is slower, and hardly more exact than words are found."""
_ALONG, _ACROSS = np.meshgrid(np.linspace(0.1, 0.9, 4), np.linspace(0.2, 0.8, 2))
_GRID = np.stack([_ALONG.ravel(), _ACROSS.ravel()], axis=1).astype(np.float32)
"""Where in a word's frame its points lie, as shares of its sides."""
_WINDOW = (11, 11)
_LEVELS = 3
_STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.03)
"""Steps on a level at most, and pixels of the view that end them sooner."""
_FARTHEST_BACK = 1.0
"""Pixels of the view beside its start at which a point may end that is followed there and back."""
_FEWEST = 4
"""Points that must be followed for a word to move by its own ones."""


class View(NamedTuple):
    """A frame as flow sees it.

    Attributes:
        pixels: (h, w) uint8, grey.
        scale: from the frame's pixels to these.
        size: width, height of the frame.
    """

    pixels: Image
    scale: float
    size: tuple[int, int]


def view_of(frame: Image) -> View:
    """The view of a frame (H, W, 3) BGR."""
    height, width = frame.shape[:2]
    scale = min(1.0, _LONGER_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    return View(cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if scale < 1 else grey, scale, (width, height))


def move_words(words: Sequence[Word], before: View, after: View) -> list[Word | None]:
    """Where words of one frame are in a later one; None for a word whose centre has left the frame.

    A word moves, turns and grows as its own points do; where too few of them can be followed, as all words' points do
    together; and stays where it is where that is not known either, or where frames differ in size.
    """
    if not words or before.size != after.size:
        return list(words)
    points = np.stack([_points(word) for word in words]) * before.scale
    there, followed = _follow(points.reshape(-1, 2), before.pixels, after.pixels)
    there, followed = there.reshape(points.shape), followed.reshape(points.shape[:2])
    common = _motion(points[followed], there[followed])
    moved: list[Word | None] = []
    for word, start, end, kept in zip(words, points, there, followed, strict=True):
        motion = _motion(start[kept], end[kept]) if kept.sum() >= _FEWEST else common
        turned = word.polygon @ motion[:, :2].T + motion[:, 2] / before.scale
        polygon = np.asarray(turned, np.float32)
        moved.append(replace(word, polygon=polygon) if _inside(polygon, after.size) else None)
    return moved


def _points(word: Word) -> FloatArray:
    corner, along, across = reading_frame(word.polygon)
    return np.asarray(corner + _GRID[:, :1] * along + _GRID[:, 1:] * across, np.float32)


def _follow(points: FloatArray, before: Image, after: Image) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Where points (N, 2) of one view are in the other, and which of them are found back from there."""
    there, ahead = _flow(points, before, after)
    back, behind = _flow(there, after, before)
    near = np.linalg.norm(back - points, axis=1) <= _FARTHEST_BACK
    return there, near & ahead & behind


def _flow(points: FloatArray, before: Image, after: Image) -> tuple[FloatArray, NDArray[np.bool_]]:
    start = np.ascontiguousarray(points, np.float32)
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, start, np.empty_like(start), winSize=_WINDOW, maxLevel=_LEVELS, criteria=_STOP
    )
    return np.asarray(there, np.float32), np.asarray(found).ravel().astype(bool)


def _motion(start: FloatArray, end: FloatArray) -> FloatArray:
    """(2, 3) what takes points (N, 2) to others, outliers apart: turn, scale and shift; none at all for too few."""
    if len(start) >= _FEWEST:
        motion, _ = cv2.estimateAffinePartial2D(start, end, method=cv2.LMEDS)
        if motion is not None:
            return np.asarray(motion, np.float32)
    return np.eye(2, 3, dtype=np.float32)


def _inside(polygon: FloatArray, size: tuple[int, int]) -> bool:
    centre = polygon.mean(axis=0)
    return bool((centre >= 0).all() and (centre < size).all())
