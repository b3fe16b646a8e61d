"""Words sorted into bins by what makes them hard: small, long, tilted, blurred."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from text_spotting.geometry import min_area_rect
from text_spotting.words import FloatArray, Image, Word

BLUR_HEIGHT = 32
"""Words are brought to this height in pixels before their sharpness is measured, so that size does not count."""


@dataclass(frozen=True, slots=True)
class Slicing:
    """One property of words and its bins.

    Attributes:
        title: name and unit for people.
        edges: B + 1 rising bounds; bin b holds edges[b] <= value < edges[b + 1].
        labels: B names for people.
    """

    title: str
    edges: Sequence[float]
    labels: Sequence[str]

    def bin_of(self, value: float) -> int:
        """Index of the bin that holds the value; values beyond the bounds go to the outermost bins."""
        return int(np.clip(np.searchsorted(self.edges, value, side="right") - 1, 0, len(self.labels) - 1))


HEIGHT = Slicing(
    "Height, pixels", (0, 8, 12, 16, 24, 32, 48, np.inf), ("< 8", "8-12", "12-16", "16-24", "24-32", "32-48", ">= 48")
)
LENGTH = Slicing("Length, characters", (0, 3, 5, 7, 9, 12, np.inf), ("1-2", "3-4", "5-6", "7-8", "9-11", ">= 12"))
ROTATION = Slicing("Rotation, degrees", (0, 5, 15, 30, 60, np.inf), ("< 5", "5-15", "15-30", "30-60", ">= 60"))


def height(word: Word) -> float:
    """Pixels from the top to the bottom line of the text.

    A quad is drawn from its top left corner in reading direction; other outlines are taken for the smallest rectangle
    around them, read as level as possible.
    """
    _, side = _sides(word.polygon)
    return side


def length(word: Word) -> float:
    """Characters of the transcription."""
    return len(word.text)


def rotation(word: Word) -> float:
    """Angle between reading direction and horizontal, 0..180 degrees."""
    quad = _reading_quad(word.polygon)
    along = (quad[1] - quad[0]) + (quad[2] - quad[3])
    return abs(float(np.degrees(np.arctan2(along[1], along[0]))))


def sharpness(word: Word, image: Image) -> float:
    """Variance of the Laplacian over the variance of the grey values, of the word straightened to a fixed height.

    The Laplacian's variance is a usual focus measure (Pertuz et al. 2013); dividing by the contrast keeps dim words
    from counting as blurred. 0 for a word outside the image.
    """
    quad = _reading_quad(word.polygon)
    across, side = _sides(word.polygon)
    width = int(np.clip(round(across / max(side, 1e-3) * BLUR_HEIGHT), 8, 16 * BLUR_HEIGHT))
    target = np.array([[0, 0], [width, 0], [width, BLUR_HEIGHT], [0, BLUR_HEIGHT]], np.float32)
    straight = cv2.warpPerspective(image, cv2.getPerspectiveTransform(quad, target), (width, BLUR_HEIGHT))
    grey = cv2.cvtColor(straight, cv2.COLOR_BGR2GRAY)
    contrast = float(grey.var())
    return float(cv2.Laplacian(grey, cv2.CV_64F).var() / contrast) if contrast > 0 else 0.0


def quartiles(title: str, values: Sequence[float], labels: Sequence[str]) -> Slicing:
    """Bins that hold a like share of the values each, for a property without natural bounds."""
    bounds = np.quantile(values, np.linspace(0, 1, len(labels) + 1)) if len(values) else np.arange(len(labels) + 1)
    return Slicing(title, [float(bound) for bound in bounds], labels)


PROPERTIES: dict[str, tuple[Slicing, Callable[[Word], float]]] = {
    "height": (HEIGHT, height),
    "length": (LENGTH, length),
    "rotation": (ROTATION, rotation),
}
"""Properties that need no pixels."""


def _reading_quad(polygon: FloatArray) -> FloatArray:
    """Four corners, clockwise from where reading starts."""
    if len(polygon) == 4:
        return polygon
    corners = min_area_rect(polygon)
    sides = np.roll(corners, -1, axis=0) - corners
    levelness = sides[:, 0] / np.maximum(np.linalg.norm(sides, axis=1), 1e-6)
    return np.roll(corners, -int(levelness.argmax()), axis=0)


def _sides(polygon: FloatArray) -> tuple[float, float]:
    """Mean length of the sides along and across reading direction."""
    a, b, c, d = _reading_quad(polygon)
    along = np.linalg.norm(b - a) + np.linalg.norm(c - d)
    across = np.linalg.norm(d - a) + np.linalg.norm(c - b)
    return float(along) / 2, float(across) / 2
