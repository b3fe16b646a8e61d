"""An image in the making: where there is room, what has been written, and what still shows of it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from text_spotting.geometry import clip_to_image
from text_spotting.synth.layout import Block
from text_spotting.synth.pixels import as_bytes, as_floats
from text_spotting.synth.places import Plane
from text_spotting.synth.render import transform
from text_spotting.synth.style import Style, blend, paint
from text_spotting.words import FloatArray, Image, Word

PAD = 0.06
"""Free space between ink and polygon, in ems: annotators do not draw on the letters' very edge."""
_COARSE = 4
_TRIES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A word on the image.

    Attributes:
        word: polygon, text, and whether it is a don't care.
        chars: (N, 4, 2) corners of its characters' ink; empty for words that were not drawn here.
        pixels: how many pixels its ink covered when it was painted; those of the polygon for words not drawn here.
    """

    word: Word
    chars: FloatArray
    pixels: int = 0


class Canvas:
    """A background that takes signs one after another; later ones keep off earlier ones.

    Attributes:
        image: (H, W, 3) painted on in place.
        placed: the words so far.
        ids: (H, W) number, from 1, of the placed word whose ink shows at a pixel; 0 elsewhere.
        planes: the background's walls.
        light: how bright the background is: 1 where its brightest parts are white, 0 where all is black.
    """

    def __init__(self, image: Image, planes: Sequence[Plane] = ()) -> None:
        self.image = image
        self.planes = planes
        self.placed: list[Placed] = []
        self.height, self.width = image.shape[:2]
        self.ids: NDArray[np.int16] = np.zeros((self.height, self.width), np.int16)
        small = cv2.resize(image, (self.width // _COARSE, self.height // _COARSE), interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
        edges = cv2.absdiff(grey, cv2.blur(grey, (5, 5)))
        self._unrest = as_bytes(edges)
        self._grey = as_bytes(grey)
        self.light = float(np.percentile(self._grey, 95)) / 255
        self._taken = np.zeros(edges.shape, np.uint8)

    def find_place(self, rng: random.Random, corners: FloatArray, overhang: float = 0.0) -> FloatArray | None:
        """Move corners (around the origin) to the calmest of a few free places; None where no place is free.

        Args:
            overhang: share of the board's size that may lie outside the image.
        """
        low, high = corners.min(axis=0), corners.max(axis=0)
        columns, rows = (int(side) + 1 for side in np.ceil((high - low) / _COARSE))
        border_x, border_y = int(columns * overhang), int(rows * overhang)
        taken, unrest = (_padded_integral(field, border_x, border_y) for field in (self._taken, self._unrest))
        if taken.shape[0] <= rows or taken.shape[1] <= columns:
            return None
        free = np.flatnonzero(_window_sums(taken, rows, columns) == 0)
        if not len(free):
            return None
        across = taken.shape[1] - columns
        places = [divmod(int(free[rng.randrange(len(free))]), across) for _ in range(_TRIES)]
        top, left = min(places, key=lambda at: _window_sum(unrest, at, rows, columns))
        shift = np.array([left - border_x + rng.random() * 0.9, top - border_y + rng.random() * 0.9]) * _COARSE
        return as_floats(corners - low + shift)

    def is_free(self, corners: FloatArray) -> bool:
        """Whether a quad's bounds lie in the image and nothing in them is taken."""
        low, high = corners.min(axis=0), corners.max(axis=0)
        if low.min() < 0 or high[0] > self.width or high[1] > self.height:
            return False
        (left, top), (right, bottom) = (low / _COARSE).astype(int), np.ceil(high / _COARSE).astype(int)
        return not self._taken[top:bottom, left:right].any()

    def spread(self, corners: FloatArray) -> float:
        """Standard deviation of the background's brightness in a quad's bounds, 0..127."""
        (left, top), (right, bottom) = (
            (corners.min(axis=0) / _COARSE).astype(int),
            (corners.max(axis=0) / _COARSE + 1).astype(int),
        )
        part = self._grey[max(0, top) : bottom, max(0, left) : right]
        return float(part.std()) if part.size else 0.0

    def dim(self, corners: FloatArray) -> None:
        """Light a quad as the rest of the image is lit."""
        x1, y1, x2, y2 = self.bounds(corners, margin=2)
        if x2 - x1 < 2 or y2 - y1 < 2:
            return
        mask = np.zeros((y2 - y1, x2 - x1), np.uint8)
        points = np.round((corners - as_floats([x1, y1])) * 16).astype(np.int32)
        cv2.fillConvexPoly(mask, points, 255, cv2.LINE_AA, shift=4)
        blend(self.image[y1:y2, x1:x2], (0, 0, 0), mask, 0.75 * max(0.0, 1 - self.light))

    def reserve(self, corners: FloatArray) -> None:
        """Keep everything placed later off these corners' polygon."""
        points = np.round(corners / _COARSE).astype(np.int32)
        cv2.fillPoly(self._taken, [points], 1)
        cv2.polylines(self._taken, [points], True, 1, 2)

    def bounds(self, corners: FloatArray, margin: float = 0.0) -> tuple[int, int, int, int]:
        """Pixel box x1, y1, x2, y2 of a polygon, inside the image; may be empty."""
        low, high = np.floor(corners.min(axis=0) - margin), np.ceil(corners.max(axis=0) + margin)
        x1, y1 = max(0, int(low[0])), max(0, int(low[1]))
        return x1, y1, max(x1, min(self.width, int(high[0]))), max(y1, min(self.height, int(high[1])))

    def write(self, block: Block, corners: FloatArray, style: Style, *, readable: bool = True) -> None:
        """Paint a block of words so that its flat rectangle takes the place of ``corners``, and note the words.

        Args:
            readable: False marks the words as don't care, without text.
        """
        x1, y1, x2, y2 = self.bounds(corners, margin=6)
        if x2 - x1 < 2 or y2 - y1 < 2:
            return
        flat = np.array([[0, 0], [block.width, 0], [block.width, block.height], [0, block.height]], np.float32)
        matrix = as_floats(cv2.getPerspectiveTransform(flat, corners - as_floats([x1, y1])))
        mask = as_bytes(cv2.warpPerspective(block.mask(), matrix, (x2 - x1, y2 - y1), flags=cv2.INTER_AREA))
        paint(self.image[y1:y2, x1:x2], mask, style)
        for piece in block.pieces:
            outline = transform(piece.outline(block.em * PAD), matrix)
            chars = transform(piece.chars(), matrix) + as_floats([x1, y1])
            self._note(outline, chars, piece.text if readable else "", mask, (x1, y1))

    def _note(
        self, outline: FloatArray, chars: FloatArray, text: str, mask: NDArray[np.uint8], origin: tuple[int, int]
    ) -> None:
        polygon = clip_to_image(outline + as_floats(origin), self.width, self.height)
        if np.ptp(polygon, axis=0).min() < 2:
            return
        x1, y1 = (max(0, int(low)) for low in outline.min(axis=0))
        x2, y2 = (int(high) + 2 for high in outline.max(axis=0))
        part = mask[y1:y2, x1:x2]
        inside = np.zeros(part.shape, np.uint8)
        cv2.fillPoly(inside, [np.round(outline - as_floats([x1, y1])).astype(np.int32)], 1)
        ink = (inside > 0) & (part > 100)
        x, y = origin
        self.ids[y + y1 : y + y2, x + x1 : x + x2][: part.shape[0], : part.shape[1]][ink] = len(self.placed) + 1
        cut = float(np.abs(polygon - outline - as_floats(origin)).max())
        ignore = not text or cut > 0.1 * float(np.ptp(outline, axis=0).min())
        self.placed.append(Placed(Word(polygon, text, ignore=ignore), chars.astype(np.float32), int(ink.sum())))

    def add_area(self, polygon: FloatArray, text: str, *, ignore: bool = False) -> None:
        """Note a word whose ink is not known apart from its surroundings: all of its polygon counts as ink."""
        polygon = clip_to_image(polygon, self.width, self.height)
        inside = np.zeros((self.height, self.width), np.uint8)
        cv2.fillPoly(inside, [np.round(polygon).astype(np.int32)], 1)
        self.ids[inside > 0] = len(self.placed) + 1
        word = Word(polygon, text, ignore=ignore)
        self.placed.append(Placed(word, np.zeros((0, 4, 2), np.float32), int(inside.sum())))

    def cover(self, region: NDArray[np.bool_], box: tuple[int, int, int, int]) -> None:
        """Note that something now hides the ink in part of the box x1, y1, x2, y2."""
        x1, y1, x2, y2 = box
        self.ids[y1:y2, x1:x2][region] = 0


def _padded_integral(field: NDArray[np.uint8], across: int, down: int) -> NDArray[np.int32]:
    padded = cv2.copyMakeBorder(field, down, down, across, across, cv2.BORDER_CONSTANT) if across or down else field
    return np.asarray(cv2.integral(padded), np.int32)


def _window_sums(integral: NDArray[np.int32], rows: int, columns: int) -> NDArray[np.int32]:
    right, left = integral[:, columns:], integral[:, :-columns]
    strips = right - left
    return strips[rows:] - strips[:-rows]


def _window_sum(integral: NDArray[np.int32], at: tuple[int, int], rows: int, columns: int) -> int:
    top, left = at
    bottom, right = top + rows, left + columns
    return int(integral[bottom, right] - integral[top, right] - integral[bottom, left] + integral[top, left])
