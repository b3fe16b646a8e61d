"""Which words of a finished image can be read; the others become don't care."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from text_spotting.fonts import Mask
from text_spotting.synth.compose import Canvas, Placed
from text_spotting.synth.pixels import as_bytes
from text_spotting.words import FloatArray, Image, Word

LEAST_HEIGHT = 7.5
"""Pixels from the top to the foot of a word below which people give up."""
LEAST_VISIBLE = 0.85
LEAST_WIDTH = 2.5
"""Pixels per character."""
LEAST_CONTRAST = 9.0
MOST_BLUR = 0.17
"""Blur (standard deviation) in heights of the word."""


def judge(image: Image, canvas: Canvas, softness: float) -> list[Placed]:
    """Return the canvas's words with those marked as don't care that are too small, blurred, covered or faint.

    Args:
        image: the image as the camera took it.
        softness: standard deviation of the camera's blur in pixels.
    """
    grey = as_bytes(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    shown = np.bincount(canvas.ids.ravel(), minlength=len(canvas.placed) + 1)
    judged = []
    for number, placed in enumerate(canvas.placed, start=1):
        word = placed.word
        height = word_height(word.polygon)
        unreadable = (
            shown[number] < LEAST_VISIBLE * placed.pixels
            or height < LEAST_HEIGHT
            or word_width(word.polygon) < LEAST_WIDTH * len(word.text)
            or softness > MOST_BLUR * height
            or (len(placed.chars) > 0 and contrast(grey, canvas.ids, number, word) < LEAST_CONTRAST)
        )
        judged.append(replace(placed, word=replace(word, ignore=True)) if unreadable else placed)
    return judged


def word_height(polygon: FloatArray) -> float:
    """Mean length in pixels of a word's two short ends; its first half of points runs along the top."""
    half = len(polygon) // 2
    left, right = polygon[-1] - polygon[0], polygon[half] - polygon[half - 1]
    return float(np.linalg.norm(left) + np.linalg.norm(right)) / 2


def word_width(polygon: FloatArray) -> float:
    """Length in pixels of the way along a word's top, which the first half of its points draw."""
    top = polygon[: len(polygon) // 2]
    return float(np.linalg.norm(np.diff(top, axis=0), axis=1).sum())


def contrast(grey: Mask, ids: NDArray[np.int16], number: int, word: Word) -> float:
    """Difference of the mean brightness on and around a word's ink, 0..255."""
    x1, y1, x2, y2 = (round(value) for value in word.box)
    values, ink = grey[y1 : y2 + 1, x1 : x2 + 1], ids[y1 : y2 + 1, x1 : x2 + 1] == number
    covered = int(ink.sum())
    if covered in (0, ink.size):
        return 0.0
    return abs(float(values[ink].mean()) - float(values[~ink].mean()))
