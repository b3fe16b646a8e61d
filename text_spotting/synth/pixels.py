"""Types for what OpenCV returns: its stubs say "some number array" where the toolkit knows "bytes"."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def as_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the array as uint8, without a copy when it already is."""
    return np.asarray(array, np.uint8)


def as_floats(array: Any) -> NDArray[np.float32]:
    """Return the array as float32, without a copy when it already is."""
    return np.asarray(array, np.float32)


def mean_color(image: NDArray[np.uint8]) -> tuple[float, float, float]:
    """Mean blue, green and red of an image; grey when it has no pixels."""
    if not image.size:
        return 128.0, 128.0, 128.0
    blue, green, red = as_floats(cv2.mean(image))[:3].tolist()
    return blue, green, red
