"""Two detectors look at a picture, each at its own resolution: what both find is a word, what one finds may be.

The same network sees other words in larger pixels and in smaller ones. Scores of what it invents are low, and rarely
the same in both.
"""

import numpy as np
from numpy.typing import NDArray

from text_spotting.errors import UserError
from text_spotting.geometry import area, intersection_area
from text_spotting.runtime.pipeline import Found
from text_spotting.words import FloatArray

ALONE = 0.65
"""Least detection score of a word that only one of both has found."""
SURE = 0.6
"""Least score of any word: it had two chances to be seen well."""
_SAME = 0.5
"""Share of the smaller of two frames that lies in the other when they are one word."""


def agree(first: Found, second: Found) -> Found:
    """The words of two looks, surest first: each once, as the surer look has it.

    Args:
        first, second: in pixels of the same picture.

    Raises:
        UserError: the detectors differ in the size of their masks or text features.
    """
    for one, other in zip(first, second, strict=True):
        if one.shape[1:] != other.shape[1:]:
            raise UserError("the model of the second look is of another kind; export both with the same toolkit")
    both = Found(*(np.concatenate(pair) for pair in zip(first, second, strict=True)))
    order = np.argsort(-both.boxes[:, 4], kind="stable")
    looks = (order >= len(first.boxes)).astype(int)
    kept = _each_once([_corners(frame) for frame in both.frames[order]], looks)
    rows = [order[row] for row, seen in kept.items() if len(seen) == 2 or both.boxes[order[row], 4] >= ALONE]
    return Found(*(part[np.array(rows, np.intp)] for part in both))


def _each_once(corners: list[FloatArray], looks: NDArray[np.int_]) -> dict[int, set[int]]:
    """Rows of words that no surer one is the same as, with the looks that have found them."""
    kept: dict[int, set[int]] = {}
    for row, own in enumerate(corners):
        same = next((other for other in kept if _is_same(own, corners[other])), row)
        kept.setdefault(same, set()).add(int(looks[row]))
    return kept


def _is_same(one: FloatArray, other: FloatArray) -> bool:
    return intersection_area(one, other) > _SAME * min(area(one), area(other))


def _corners(frame: FloatArray) -> FloatArray:
    corner, along, across = frame
    return np.array([corner, corner + along, corner + along + across, corner + across], np.float32)
