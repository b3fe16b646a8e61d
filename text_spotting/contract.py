"""What the exported graphs take and give: names of tensors, their layout, and the engines that compute them.

``docs/clients.md`` tells the same to other people's clients.
"""

from contextlib import AbstractContextManager
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from text_spotting.manifest import Manifest
from text_spotting.words import FloatArray, Image

IMAGE = "image"
"""The detector's input [1, 3, H, W]."""
BOXES, LABELS, MASKS, TEXT_FEATURES = DETECTOR_OUTPUTS = ("boxes", "labels", "masks", "text_features")
"""Of the detector: see ``Detections``; labels [N] are 0, text, the only class."""
WORDS = "input"
"""The text encoder's input, [N, C, h, w] text features; also the recognizer's, [N, 3, 32, W] crops."""
ENCODED = "output"
"""The text encoder's output [N, D, h, w]."""
PREVIOUS_SYMBOL, PREVIOUS_HIDDEN, ENCODER_OUTPUTS = DECODER_INPUTS = ("prev_symbol", "prev_hidden", "encoder_outputs")
"""Of one decoder step: [N] int64, [1, N, H] and [N, h*w, D]."""
LOGITS, HIDDEN, ATTENTION = ("output", "hidden", "attention")
"""Of one decoder step: [N, classes], [1, N, H] and [N, h*w]; clients need the first two."""
PROBABILITIES = "probs"
"""The recognizer's output [N, W / 4, classes]; its blank is the start symbol."""

Array = TypeVar("Array", bound=Any)


class Detections(NamedTuple, Generic[Array]):
    """What the detector finds in one image, as numpy arrays or as tensors.

    Attributes:
        boxes: [N, 5] x1, y1, x2, y2, score in input pixels.
        masks: [N, M, M] probabilities over each box.
        text_features: [N, C, h, w], what the text encoder takes.
    """

    boxes: Array
    masks: Array
    text_features: Array


class Engine(Protocol):
    """One model on one back end; all methods may be called from several threads.

    Attributes:
        hidden_size: H, size of the decoder's state.
        parallel: how many calls of ``recognize`` at a time keep the device busy.
    """

    manifest: Manifest
    parallel: int

    @property
    def hidden_size(self) -> int: ...

    def detect(self, canvas: Image) -> Detections[FloatArray]:
        """Find words on a canvas (H, W, 3) of the manifest's size."""

    def encode(self, text_features: FloatArray) -> AbstractContextManager[Any]:
        """Prepare N >= 1 words [N, C, h, w] for decoding; within the context its value is what ``step`` needs."""

    def step(self, memory: Any, symbols: NDArray[np.int64], hidden: FloatArray) -> tuple[FloatArray, FloatArray]:
        """One decoder step: symbols [N] and hidden [1, N, H] to logits [N, classes] and the next hidden."""

    def recognize(self, crops: Image) -> FloatArray:
        """Probabilities [N, W / 4, classes] of N >= 1 upright words (N, 32, W, 3) uint8 BGR, W a multiple of 8.

        Only for a model whose manifest names a ``recognizer``.
        """


def flatten_positions(encoded: Array) -> Array:
    """[N, D, h, w], a numpy array or a tensor, to [N, h*w, D], row by row."""
    positions: Array = encoded.reshape(*encoded.shape[:2], -1).swapaxes(1, 2)
    return positions


def initial_hidden(count: int, hidden_size: int) -> FloatArray:
    """The state [1, N, H] of ``count`` words before their first symbol."""
    return np.zeros((1, count, hidden_size), np.float32)
