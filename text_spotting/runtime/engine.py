"""What a back end offers to the spotter."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from text_spotting.manifest import Manifest
from text_spotting.words import FloatArray, Image


class Detections(NamedTuple):
    """Outputs of the detector for one picture.

    Attributes:
        boxes: [N, 5] x1, y1, x2, y2, score in input pixels.
        masks: [N, M, M] probabilities over each box.
        text_features: [N, C, h, w], what the text encoder takes.
    """

    boxes: FloatArray
    masks: FloatArray
    text_features: FloatArray


class Engine(Protocol):
    """The graphs of one model on one back end; both methods may be called from several threads."""

    manifest: Manifest

    def detect(self, canvas: Image) -> Detections:
        """Find words on a canvas (H, W, 3) of the manifest's size."""

    def read(self, text_features: FloatArray) -> tuple[NDArray[np.int64], FloatArray]:
        """Read N words together: symbols [N, T] and confidences [N], see ``postprocess.greedy_decode``."""
