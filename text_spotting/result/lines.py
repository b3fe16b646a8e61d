"""Reading order: words joined to lines of text, lines put one below the other."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from text_spotting.words import Word

_WIDEST_GAP = 1.5
"""Between neighbours of a line, in heights of the smaller one."""
_DEEPEST_OVERLAP = 0.7
"""How far neighbours may overlap along the line, in heights."""
_OFFSET = 0.5
"""How far the next word's middle may lie beside the line, in heights."""
_SCALE = 2.0
"""How many times as high as its neighbour a word may be."""
_TURN = 25.0
"""Degrees between neighbours."""
_ROW = 0.5
"""Share of the lower line's height that two lines in a row have in common."""


class _Place(NamedTuple):
    """Where a word begins and ends: middles of its left and right side, direction [2] and height."""

    left: NDArray[np.float32]
    right: NDArray[np.float32]
    along: NDArray[np.float32]
    height: float


def reading_lines(words: Sequence[Word]) -> list[list[Word]]:
    """Words with text by lines, each from its first to its last; lines from the top, in a row from the left.

    Polygons must start at the top left of the text, as predicted ones do.
    """
    known = [word for word in words if word.text]
    after = _followers([_place(word) for word in known])
    starts = set(range(len(known))) - set(after.values())
    lines = []
    for start in sorted(starts):
        line = [start]
        while line[-1] in after:
            line.append(after[line[-1]])
        lines.append([known[index] for index in line])
    return _from_the_top(lines)


def in_reading_order(words: Sequence[Word]) -> list[Word]:
    """Words by lines, and after them those without text."""
    return [word for line in reading_lines(words) for word in line] + [word for word in words if not word.text]


def _place(word: Word) -> _Place:
    corners = word.polygon
    if len(corners) == 4:
        first, second, third, fourth = corners
    else:
        x1, y1, x2, y2 = word.box
        first, second, third, fourth = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)
    left, right = (first + fourth) / 2, (second + third) / 2
    length = max(float(np.linalg.norm(right - left)), 1e-3)
    height = float(np.linalg.norm(fourth - first) + np.linalg.norm(third - second)) / 2
    return _Place(left, right, (right - left) / length, max(height, 1e-3))


def _followers(places: Sequence[_Place]) -> dict[int, int]:
    """For each word that has one, its neighbour in the line; nearest pairs first, and no circles."""
    pairs = sorted(
        (gap, one, other)
        for one, place in enumerate(places)
        for other, next_place in enumerate(places)
        if one != other and (gap := _gap(place, next_place)) is not None
    )
    after: dict[int, int] = {}
    taken: set[int] = set()
    for _, one, other in pairs:
        if one not in after and other not in taken and not _leads_to(after, other, one):
            after[one] = other
            taken.add(other)
    return after


def _leads_to(after: dict[int, int], start: int, end: int) -> bool:
    while start in after:
        start = after[start]
        if start == end:
            return True
    return False


def _gap(place: _Place, other: _Place) -> float | None:
    """Distance along the line, in heights of the smaller word, to one that may come next; None for others."""
    smaller, larger = sorted((place.height, other.height))
    if larger > _SCALE * smaller or float(place.along @ other.along) < np.cos(np.radians(_TURN)):
        return None
    step = other.left - place.right
    gap = float(step @ place.along) / smaller
    offset = abs(float(step[0] * place.along[1] - step[1] * place.along[0])) / smaller
    near = -_DEEPEST_OVERLAP <= gap <= _WIDEST_GAP and offset <= _OFFSET
    ahead = float((other.right - place.right) @ place.along) > 0
    return abs(gap) + offset if near and ahead else None


def _from_the_top(lines: list[list[Word]]) -> list[list[Word]]:
    """Lines sorted by rows, and from the left in a row."""
    rows: list[list[tuple[float, float, float, list[Word]]]] = []
    for low, high, left, line in sorted((_bounds(line) for line in lines), key=lambda item: item[0] + item[1]):
        row = rows[-1] if rows else []
        if row and min(high, row[0][1]) - max(low, row[0][0]) > _ROW * min(high - low, row[0][1] - row[0][0]):
            row.append((low, high, left, line))
        else:
            rows.append([(low, high, left, line)])
    return [item[3] for row in rows for item in sorted(row, key=lambda item: item[2])]


def _bounds(line: list[Word]) -> tuple[float, float, float, list[Word]]:
    """Top, bottom and left of a line's first word, which stands for the line however it is slanted."""
    x1, y1, _, y2 = line[0].box
    return y1, y2, x1, line
