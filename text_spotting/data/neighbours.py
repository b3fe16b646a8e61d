"""Words that follow one another on a line, and where one ends and the next begins."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from text_spotting.frames import reading_frame
from text_spotting.geometry import min_area_rect
from text_spotting.words import FloatArray

_PARALLEL = 0.97
"""Least cosine of the angle between the directions of two words on a line."""
_LIKE = 1.8
"""Words on a line are at most this many times as high as each other."""
_OFFSET = 0.35
"""How far off the line the next word may lie, as a share of the lower one's height."""
_GAP = (-0.15, 1.3)
"""Least and greatest distance to the next word, as shares of their mean height."""
MOST_IN_A_ROW = 3
"""Words that are taken together; more are hardly ever found as one."""


def next_words(frames: FloatArray) -> dict[int, int]:
    """For the frames [N, 3, 2] of an image's words, the row of the word that follows each, where one does."""
    if len(frames) < 2:
        return {}
    corner, along, across = np.moveaxis(np.asarray(frames, np.float64), 1, 0)
    width, height = (np.maximum(np.linalg.norm(side, axis=1), 1e-3) for side in (along, across))
    direction = along / width[:, None]
    normal = np.stack([-direction[:, 1], direction[:, 0]], axis=1)
    way = (corner + (along + across) / 2)[None] - (corner + (along + across) / 2)[:, None]
    mean = (height[:, None] + height[None]) / 2
    gap = np.einsum("ijk,ik->ij", way, direction) - (width[:, None] + width[None]) / 2
    ratio = height[:, None] / height[None]
    follows = direction @ direction.T > _PARALLEL
    follows &= (ratio < _LIKE) & (ratio > 1 / _LIKE)
    follows &= np.abs(np.einsum("ijk,ik->ij", way, normal)) <= _OFFSET * np.minimum(height[:, None], height[None])
    follows &= (gap > _GAP[0] * mean) & (gap < _GAP[1] * mean)
    np.fill_diagonal(follows, val=False)
    nearest = np.where(follows, gap, np.inf).argmin(axis=1)
    return {int(row): int(nearest[row]) for row in np.flatnonzero(follows.any(axis=1))}


def rows_of_words(frames: FloatArray) -> list[list[int]]:
    """All rows of two to ``MOST_IN_A_ROW`` words that follow one another, for the frames [N, 3, 2] of an image."""
    following = next_words(frames)
    found: list[list[int]] = []
    for first in following:
        row = [first]
        while len(row) < MOST_IN_A_ROW and (word := following.get(row[-1])) is not None and word not in row:
            row.append(word)
            found.append(list(row))
    return found


def joined(polygons: Sequence[FloatArray]) -> tuple[FloatArray, list[tuple[float, float]]]:
    """What several words in a row, polygons (K, 2), look like when they are found as one.

    Returns:
        The frame (3, 2) around all of them, and for each gap where the word before it ends and the next one begins, as
        shares of the frame's length; where words overlap the end comes after the beginning.
    """
    rect = min_area_rect(np.concatenate(polygons), reading_frame(polygons[0])[1])
    frame = np.stack([rect[0], rect[1] - rect[0], rect[3] - rect[0]])
    return frame, gaps_in(frame, polygons)


def gaps_in(frame: FloatArray, polygons: Sequence[FloatArray]) -> list[tuple[float, float]]:
    """Where the gaps between words in a row lie in any frame (3, 2) around them; see ``joined``."""
    along = frame[1] / max(float(frame[1] @ frame[1]), 1e-6)
    shares = [np.sort((polygon - frame[0]) @ along) for polygon in polygons]
    # A word ends between its two last corners: its quad may be slanted.
    return [(float(before[-2:].mean()), float(behind[:2].mean())) for before, behind in pairwise(shares)]
