"""Words written by hand: a printed word's strokes, thinned to a line and drawn again with an unsteady pen."""

import random

import cv2
import numpy as np
from numpy.typing import NDArray

from text_spotting.fonts import Mask
from text_spotting.geometry import box_to_polygon
from text_spotting.synth.pixels import as_bytes, as_floats
from text_spotting.synth.render import Ink

_INK = 127
"""Coverage above which a pixel belongs to a stroke."""
_PEN = (0.035, 0.09)
"""Width of the pen's line in ems."""
_SHAKE = (0.01, 0.045)
"""Standard deviation, in ems, of how far the hand is off."""
_REACH = 0.28
"""Ems over which the hand goes from one side to the other."""


def thin(mask: Mask) -> NDArray[np.uint8]:
    """Thin strokes to lines one pixel wide, each in one piece as before (Zhang and Suen, CACM 1984).

    Args:
        mask: (H, W), 1 where there is ink, 0 elsewhere.
    """
    line = np.pad(mask, 1)
    while True:
        before = int(line.sum())
        for removable in _REMOVABLE:
            around = cv2.filter2D(line, cv2.CV_8U, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
            line &= ~removable[around] & 1
        if int(line.sum()) == before:
            return np.ascontiguousarray(line[1:-1, 1:-1])


_NEIGHBOURS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)
"""Bit of each neighbour, clockwise from the one above."""


def _removable(corners: tuple[tuple[int, int, int], ...]) -> NDArray[np.uint8]:
    """For each of the 256 neighbourhoods of an ink pixel whether a pass takes it away, 0 or 1.

    Args:
        corners: threes of neighbours, by their bits, of which one at least has to be empty.
    """
    found = np.zeros(256, np.uint8)
    for around in range(256):
        bits = [around >> bit & 1 for bit in range(8)]
        begins = sum(bits[bit - 1] < bits[bit] for bit in range(8))
        free = all(not all(bits[bit] for bit in three) for three in corners)
        found[around] = 2 <= sum(bits) <= 6 and begins == 1 and free
    return found


_REMOVABLE = (_removable(((0, 2, 4), (2, 4, 6))), _removable(((0, 2, 6), (0, 4, 6))))
"""The two passes: from the south-east, then from the north-west."""


def write(rng: random.Random, ink: Ink, em: int) -> tuple[Ink, int, int]:
    """Write a word by hand; return it, and by how much x and y of its top left corner moved.

    Args:
        em: pixels per em that the word was drawn at.
    """
    pen = max(1, round(em * rng.uniform(*_PEN)))
    shake = em * rng.uniform(*_SHAKE)
    room = round(3 * shake) + pen
    line = np.pad(thin(np.where(ink.mask > _INK, 1, 0).astype(np.uint8)), room)
    drawn = cv2.dilate(line * 255, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (pen, pen)))
    height, width = drawn.shape
    off = np.stack([_unsteady(rng, width, height, em * _REACH, shake) for _ in "xy"], axis=-1)
    rows, columns = np.indices((height, width), np.float32)
    moved = as_bytes(cv2.remap(drawn, columns + off[..., 0], rows + off[..., 1], cv2.INTER_LINEAR))
    left, top, across, down = cv2.boundingRect(np.where(moved > _INK, 255, 0).astype(np.uint8))
    if not across:
        return ink, 0, 0
    shift = np.array([room - left, room - top], np.float32)
    chars = np.clip(ink.chars + shift, 0, (across, down)).astype(np.float32)
    outline = box_to_polygon([0, 0, across, down]) if len(ink.outline) == 4 else as_floats(ink.outline + shift)
    mask = np.ascontiguousarray(moved[top : top + down, left : left + across])
    return Ink(mask, chars, outline, ink.baseline + float(shift[1])), left - room, top - room


def _unsteady(rng: random.Random, width: int, height: int, reach: float, shake: float) -> NDArray[np.float32]:
    """A smooth field (height, width) of deviations in pixels."""
    columns, rows = int(width / reach) + 2, int(height / reach) + 2
    coarse = np.array([[rng.gauss(0, shake) for _ in range(columns)] for _ in range(rows)], np.float32)
    return as_floats(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))
