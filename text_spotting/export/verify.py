"""Proof that exported graphs compute what the network computes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

from text_spotting.contract import BOXES, MASKS, TEXT_FEATURES, Engine
from text_spotting.errors import UserError
from text_spotting.preprocess import fit_to_input
from text_spotting.words import FloatArray, Image

Arrays = dict[str, FloatArray]
Tolerances = Mapping[str, float]

FULL: Tolerances = {
    "unmatched": 0.05,
    BOXES: 0.05,
    "scores": 2e-3,
    MASKS: 2e-2,
    TEXT_FEATURES: 2e-2,
    "logits": 1e-3,
    "hidden": 1e-3,
    "readings": 1e-3,
}
"""Largest allowed difference: the share of detections without a partner, boxes in pixels, probabilities as they are,
the others relative to the largest value.

A detection may lack a partner because suppression decides at a threshold, and a barely trained network's boxes lie
on a regular grid, where overlaps tie; one is therefore excused. Those that have a partner must agree closely.

Sums of some hundred products in another order differ by about 1e-5 of their size; tens of layers and, at the end of the
chain, an exponential of box deltas and a crop at the shifted box make of it what is allowed here. Wrong channels, a
wrong crop or a shifted grid are off by ten times more.
"""

HALF: Tolerances = {
    "unmatched": 0.1,
    BOXES: 1.0,
    "scores": 5e-2,
    MASKS: 0.25,
    TEXT_FEATURES: 0.25,
    "logits": 5e-2,
    "hidden": 5e-2,
    "readings": 5e-2,
}
"""The same for weights stored in half precision, which rounds each by up to 1/2048 of its size."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far one back end's arrays are from the network's.

    Attributes:
        words: detections compared.
        differences: per kind of array, in the units of ``FULL``.
        allowed: how large they may be.
    """

    words: int
    differences: dict[str, float]
    allowed: Tolerances = field(default_factory=lambda: FULL)

    def broken(self) -> list[str]:
        """Kinds of arrays that differ by more than is allowed."""
        return [name for name, value in self.differences.items() if not value <= self.allowed[name]]


def sample_image(width: int = 640, height: int = 480) -> Image:
    """Return an image with a few words in plain strokes, the same every time."""
    ramp = np.linspace(60, 200, width, dtype=np.float32)[None, :, None]
    image = np.broadcast_to(ramp, (height, width, 3)).astype(np.uint8).copy()
    words = [("open24", 0.08, 2.0), ("coffee", 0.35, 1.5), ("exit", 0.55, 3.0), ("route66", 0.85, 1.2)]
    for index, (text, top, size) in enumerate(words):
        place = (width // 12 + index * width // 12, int(top * height) + 20)
        cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, (20, 20, 20), 5, cv2.LINE_AA)
    return image


def measure(engine: Engine, image: Image, features: FloatArray) -> Arrays:
    """What an engine computes for an image, and for made-up text features [3, C, h, w], word by word."""
    canvas, _ = fit_to_input(image, engine.manifest)
    arrays = engine.detect(canvas)._asdict()
    with engine.encode(features) as memory:
        before = np.linspace(-0.5, 0.5, 3 * engine.hidden_size, dtype=np.float32).reshape(1, 3, -1)
        logits, hidden = engine.step(memory, np.array([engine.manifest.start, 2, 3], np.int64), before)
        arrays["logits"], arrays["hidden"] = np.array(logits), np.array(hidden)
    if engine.manifest.recognizer:
        arrays["readings"] = engine.recognize(cv2.resize(image, (96, 32))[None])
    return arrays


def text_features(shape: tuple[int, int, int]) -> FloatArray:
    """Made-up text features [3, C, h, w], the same every time."""
    return np.random.default_rng(0).random((3, *shape), np.float32)


def compare(wanted: Arrays, found: Arrays, allowed: Tolerances = FULL) -> Agreement:
    """Match detections by place, since near-equal scores may change their order, and measure the differences."""
    ours, theirs = _partners(wanted[BOXES], found[BOXES])
    most = max(len(wanted[BOXES]), len(found[BOXES]))
    rows = {name: (wanted[name][ours], found[name][theirs]) for name in (BOXES, MASKS, TEXT_FEATURES)}
    boxes, others = rows[BOXES]
    differences = {
        "unmatched": max(most - len(ours) - 1, 0) / max(most, 1),
        BOXES: _largest(boxes[:, :4] - others[:, :4]),
        "scores": _largest(boxes[:, 4] - others[:, 4]),
        MASKS: _largest(rows[MASKS][0] - rows[MASKS][1]),
        TEXT_FEATURES: _relative(*rows[TEXT_FEATURES]),
    }
    for name in sorted(set(wanted) - set(rows)):
        differences[name] = _relative(wanted[name], found[name])
    return Agreement(len(ours), differences, allowed)


def _partners(wanted: FloatArray, found: FloatArray) -> tuple[list[int], list[int]]:
    """Rows of both arrays whose boxes lie within a pixel of each other."""
    if not len(wanted) or not len(found):
        return [], []
    distances = np.abs(wanted[:, None, :4] - found[None, :, :4]).max(axis=2)
    nearest = distances.argmin(axis=1)
    ours = [row for row in range(len(wanted)) if distances[row, nearest[row]] <= 1.0]
    return ours, [int(nearest[row]) for row in ours]


def _largest(difference: FloatArray) -> float:
    return float(np.abs(difference).max(initial=0))


def _relative(wanted: FloatArray, found: FloatArray) -> float:
    return _largest(wanted - found) / max(_largest(wanted), 1e-6)


def require(agreement: Agreement, back_end: str) -> None:
    """Stop when a back end computes something else.

    Raises:
        UserError: names what differs and by how much.
    """
    if broken := agreement.broken():
        details = ", ".join(
            f"{name} by {agreement.differences[name]:.3g} (at most {agreement.allowed[name]:.3g})" for name in broken
        )
        raise UserError(f"{back_end} does not agree with PyTorch on the test image: {details}; nothing was exported")
