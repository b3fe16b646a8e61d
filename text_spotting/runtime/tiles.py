"""Large images read tile by tile: a spotter around a spotter.

A network sees every image at one size, so small text of a large scan vanishes before it is looked for. Here the
image is read at several scales, from its own resolution down to the whole of it at once; at each scale it is cut into
overlapping tiles as large as the network's input (the image pyramid of Adelson et al. 1984, with SNIPER's idea,
Singh et al. 2018, that each scale answers for what it sees best). What several tiles find is one word.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import cv2
import numpy as np

from text_spotting.errors import UserError
from text_spotting.geometry import area, intersection_area
from text_spotting.preprocess import to_bgr
from text_spotting.words import Image, Word

OVERLAP = 0.25
"""Share of a tile that its neighbour sees too: a word up to that long is whole in one of them."""
LEAST_RATIO = 1.5
"""How many times larger than the network's input an image is when tiles begin to pay."""
_SAME_IOF = 0.5
"""Share of the smaller of two words, by area, that lies in the other when they are one."""
_EDGE = 2.0
"""Pixels of a tile from its border within which a word is taken to go on outside."""
_MOST = 64
"""Tiles a side at one scale; beyond it, the finest scale is left out."""

Rect = tuple[int, int, int, int]


class AnySpotter(Protocol):
    """Anything that finds words in a BGR image."""

    def __call__(self, image: Image, /) -> Sequence[Word]: ...


@dataclass(frozen=True, slots=True)
class _Found:
    """A word of a tile, and whether the tile's border may have cut it."""

    word: Word
    cut: bool

    @property
    def rank(self) -> tuple[bool, float]:
        return not self.cut, self.word.score


class TiledSpotter:
    """Reads an image as a whole and, where it is larger than the network's input, in tiles of finer scales.

    Args:
        spotter: reads each tile.
        tile: width and height of the network's input.
    """

    def __init__(self, spotter: AnySpotter, tile: tuple[int, int]) -> None:
        self.spotter = spotter
        self.tile = tile

    def __call__(self, image: Any) -> list[Word]:
        """Return the words of an image (H, W, 3) uint8 BGR, in its pixels.

        Raises:
            UserError: not an image.
        """
        bgr = to_bgr(image)
        found = [_Found(word, cut=False) for word in self.spotter(bgr)]
        for scale in scales(_size(bgr), self.tile):
            found += self._at_scale(bgr, scale)
        return merge(found)

    def _at_scale(self, image: Image, scale: float) -> Iterator[_Found]:
        smaller = image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        size = _size(smaller)
        factors = np.array(_size(image), np.float32) / np.array(size, np.float32)
        for x1, y1, x2, y2 in tiles(size, self.tile):
            for word in self.spotter(np.ascontiguousarray(smaller[y1:y2, x1:x2])):
                polygon = ((word.polygon + np.array([x1, y1])) * factors).astype(np.float32)
                yield _Found(replace(word, polygon=polygon), cut=_is_cut(word, (x1, y1, x2, y2), size))


def parse_tiles(text: str) -> bool:
    """Whether to read in tiles, by the word for it.

    Raises:
        UserError: neither ``auto`` nor ``none``.
    """
    if text not in ("auto", "none"):
        raise UserError(f"tiles {text}: expected auto or none", about="tiles")
    return text == "auto"


def needs_tiles(size: tuple[int, int], tile: tuple[int, int]) -> bool:
    """Whether an image, width and height, is so large that tiles show what the whole does not."""
    return max(size[0] / tile[0], size[1] / tile[1]) > LEAST_RATIO


def scales(size: tuple[int, int], tile: tuple[int, int]) -> list[float]:
    """Scales to read tiles at: the image's own, a half, a quarter..., down to where the whole shows as much."""
    found, scale = [], 1.0
    while needs_tiles((round(size[0] * scale), round(size[1] * scale)), tile):
        columns, rows = size[0] * scale / tile[0], size[1] * scale / tile[1]
        if max(columns, rows) < _MOST * (1 - OVERLAP):
            found.append(scale)
        scale /= 2
    return found


def tiles(size: tuple[int, int], tile: tuple[int, int]) -> list[Rect]:
    """Overlapping tiles x1, y1, x2, y2 that cover an image, evenly spread, row by row."""
    columns, rows = (_starts(whole, part) for whole, part in zip(size, tile, strict=True))
    return [
        (x, y, min(x + tile[0], size[0]), min(y + tile[1], size[1])) for y in rows for x in columns
    ]  # fmt: skip


def _starts(whole: int, part: int) -> list[int]:
    if whole <= part:
        return [0]
    count = int(np.ceil((whole - part) / (part * (1 - OVERLAP)))) + 1
    return [round(start) for start in np.linspace(0, whole - part, count)]


def _is_cut(word: Word, tile: Rect, size: tuple[int, int]) -> bool:
    """Whether a word touches a border of its tile that is none of the image's."""
    x1, y1, x2, y2 = word.box
    width, height = tile[2] - tile[0], tile[3] - tile[1]
    return (
        (x1 < _EDGE and tile[0] > 0)
        or (y1 < _EDGE and tile[1] > 0)
        or (x2 > width - _EDGE and tile[2] < size[0])
        or (y2 > height - _EDGE and tile[3] < size[1])
    )


def merge(found: Sequence[_Found]) -> list[Word]:
    """Every word once: whole ones before cut ones, then the surest, which the others must not lie upon."""
    kept: list[Word] = []
    for one in sorted(found, key=lambda item: item.rank, reverse=True):
        if not any(_is_same(one.word, other) for other in kept):
            kept.append(one.word)
    return kept


def _is_same(one: Word, other: Word) -> bool:
    (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = one.box, other.box
    if ax2 <= bx1 or bx2 <= ax1 or ay2 <= by1 or by2 <= ay1:
        return False
    smaller = min(area(one.polygon), area(other.polygon))
    return smaller == 0 or intersection_area(one.polygon, other.polygon) > _SAME_IOF * smaller


def _size(image: Image) -> tuple[int, int]:
    return image.shape[1], image.shape[0]
