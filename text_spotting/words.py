"""The unit that every part of the toolkit exchanges: a word somewhere in an image."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Image = NDArray[Any]
"""An image: (H, W, 3) uint8, BGR. Not NDArray[uint8], which OpenCV's annotations never return."""

DONT_CARE = "###"
"""Transcription by which most sets mark a word that a person cannot read."""


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """A word with its place.

    Attributes:
        polygon: (K, 2) corner points x, y in pixels of the original image, K >= 3, in drawing order; a
            predicted one starts at the top left of the text and runs clockwise.
        text: transcription; empty means "not known" in ground truth and "not read" in predictions.
        score: confidence in 0..1; 1 in ground truth.
        ignore: a don't-care region: neither to be found nor to be counted as a false positive.
        text_score: confidence of the text alone, 0..1, where the reader gives one.
        char_scores: confidence of each character of the text, where the reader gives them.
    """

    polygon: FloatArray
    text: str = ""
    score: float = 1.0
    ignore: bool = False
    text_score: float = 1.0
    char_scores: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        polygon = np.asarray(self.polygon, dtype=np.float32).reshape(-1, 2)
        if len(polygon) < 3:
            raise ValueError(f"a word needs at least 3 corner points, got {len(polygon)}")
        object.__setattr__(self, "polygon", polygon)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Axis-aligned bounds x1, y1, x2, y2."""
        low, high = self.polygon.min(axis=0), self.polygon.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    @property
    def angle(self) -> float:
        """Direction of the text in degrees, -180..180, from the first corner to the second: 90 reads downwards."""
        x, y = self.polygon[1] - self.polygon[0]
        return math.degrees(math.atan2(float(y), float(x)))

    def to_dict(self) -> dict[str, Any]:
        """Numbers and strings alone, as ``json.dumps`` takes them."""
        return {
            "text": self.text,
            "score": round(self.score, 4),
            "text_score": round(self.text_score, 4),
            "char_scores": [round(score, 4) for score in self.char_scores],
            "polygon": [[round(float(x), 2), round(float(y), 2)] for x, y in self.polygon],
            "angle": round(self.angle, 2),
            **({"ignore": True} if self.ignore else {}),
        }
