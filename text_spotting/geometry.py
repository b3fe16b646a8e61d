"""Polygon arithmetic on (K, 2) point arrays, in pixels."""

import cv2
import numpy as np
from numpy.typing import ArrayLike
from shapely import make_valid
from shapely.geometry import Polygon

from text_spotting.frames import reading_frame
from text_spotting.words import FloatArray


def to_shape(points: ArrayLike) -> Polygon:
    """Return a valid shapely geometry; polygons that cross themselves are repaired, not refused."""
    shape = Polygon(np.asarray(points, dtype=np.float64).reshape(-1, 2))
    return shape if shape.is_valid else make_valid(shape)


def area(points: ArrayLike) -> float:
    """Enclosed area in square pixels."""
    return float(to_shape(points).area)


def intersection_area(first: ArrayLike, second: ArrayLike) -> float:
    """Area that both polygons cover."""
    ours, theirs = (np.asarray(points, np.float64).reshape(-1, 2) for points in (first, second))
    if (ours.max(axis=0) <= theirs.min(axis=0)).any() or (theirs.max(axis=0) <= ours.min(axis=0)).any():
        return 0.0
    return float(to_shape(first).intersection(to_shape(second)).area)


def min_area_rect(points: ArrayLike, along: ArrayLike | None = None) -> FloatArray:
    """Corners (4, 2) of the smallest rotated rectangle around the points, from the top left of its text clockwise.

    Args:
        points: (K, 2).
        along: [2] where the text runs to; by default as the rectangle's reading frame says.
    """
    rect = cv2.minAreaRect(np.asarray(points, dtype=np.float32).reshape(-1, 1, 2))
    return start_at_top_left(cv2.boxPoints(rect).astype(np.float32), along)


def start_at_top_left(corners: FloatArray, along: ArrayLike | None = None) -> FloatArray:
    """The four corners of a rectangle clockwise, the side along the text first, in whatever order they come.

    OpenCV gives corners in an order that differs from release to release.
    """
    direction = reading_frame(corners)[1] if along is None else np.asarray(along, np.float32)
    sides = np.roll(corners, -1, axis=0) - corners
    # Twice the area, positive where corners run clockwise as images are seen: y points down.
    if float(np.sum(corners[:, 0] * np.roll(corners[:, 1], -1) - corners[:, 1] * np.roll(corners[:, 0], -1))) < 0:
        return start_at_top_left(np.ascontiguousarray(corners[::-1]), direction)
    length = np.maximum(np.linalg.norm(sides, axis=1), 1e-6)
    forward = sides @ direction / length
    # Two sides of a square at 45 degrees run equally well along the text: the upper left one is taken.
    tied = np.flatnonzero(forward >= forward.max() - 1e-3 * np.linalg.norm(direction))
    first = int(tied[corners[tied].sum(axis=1).argmin()])
    return np.roll(corners, -first, axis=0)


def box_to_polygon(box: ArrayLike) -> FloatArray:
    """Corners (4, 2), clockwise from the top left, of a box x1, y1, x2, y2."""
    x1, y1, x2, y2 = np.asarray(box, dtype=np.float32)
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], dtype=np.float32)


def clip_to_image(points: ArrayLike, width: int, height: int) -> FloatArray:
    """Move points that lie outside a width x height image onto its border."""
    clipped = np.asarray(points, dtype=np.float32).reshape(-1, 2).copy()
    clipped[:, 0] = clipped[:, 0].clip(0, width)
    clipped[:, 1] = clipped[:, 1].clip(0, height)
    return clipped
