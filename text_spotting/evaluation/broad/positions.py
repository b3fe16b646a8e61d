"""The same image a few pixels to the side: whether a word is found must not hang on where it meets the grid."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from text_spotting.evaluation.inference import Spotter
from text_spotting.words import Image, Word

POSITIONS: Sequence[tuple[int, int]] = ((0, 0), (1, 3), (2, 1), (3, 5), (4, 2), (5, 4), (1, 5), (3, 2), (5, 0))
"""Pixels to the right and down; the first is the image as it is."""

_PADDING = (104, 116, 124)
"""BGR; nearly zero once normalised, as the padding of the network's input is."""


@dataclass(frozen=True, slots=True)
class ShiftedSpotter:
    """A spotter that sees each image set into one a little larger, nothing cut off, and tells the words' true places.

    Attributes:
        right, down: pixels of the image by which it is moved.
    """

    spotter: Spotter
    right: int
    down: int

    def __call__(self, image: Image) -> list[Word]:
        if not (self.right or self.down):
            return self.spotter(image)
        canvas = cv2.copyMakeBorder(image, self.down, 0, self.right, 0, cv2.BORDER_CONSTANT, value=_PADDING)
        back = np.array([self.right, self.down], np.float32)
        return [replace(word, polygon=word.polygon - back) for word in self.spotter(np.asarray(canvas, np.uint8))]
