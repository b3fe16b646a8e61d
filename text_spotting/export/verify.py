"""Proof that exported graphs compute what the network computes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from text_spotting.errors import UserError
from text_spotting.export.graphs import DecoderStepGraph, DetectorGraph, EncoderGraph
from text_spotting.manifest import Manifest
from text_spotting.preprocess import prepare
from text_spotting.words import FloatArray, Image

Arrays = dict[str, FloatArray]

TOLERANCES = {
    "unmatched": 0.05,
    "boxes": 0.05,
    "scores": 2e-3,
    "masks": 2e-2,
    "text_features": 2e-2,
    "encoder output": 1e-3,
    "logits": 1e-3,
    "hidden": 1e-3,
}
"""Largest allowed difference: the share of detections without a partner, boxes in pixels, probabilities as they are,
the others relative to the largest value.

A detection may lack a partner because suppression decides at a threshold, and a barely trained network's boxes lie
on a regular grid, where overlaps tie; one is therefore excused. Those that have a partner must agree closely.

Sums of some hundred products in another order differ by about 1e-5 of their size; tens of layers and, at the end of the
chain, an exponential of box deltas and a crop at the shifted box make of it what is allowed here. Wrong channels, a
wrong crop or a shifted grid are off by ten times more.
"""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far one back end's arrays are from the network's.

    Attributes:
        words: detections compared.
        differences: per kind of array, in the units of ``TOLERANCES``.
    """

    words: int
    differences: dict[str, float]

    def broken(self) -> list[str]:
        """Kinds of arrays that differ by more than is allowed."""
        return [name for name, value in self.differences.items() if not value <= TOLERANCES[name]]


def sample_picture(width: int = 640, height: int = 480) -> Image:
    """Return a picture with a few words in plain strokes, the same every time."""
    ramp = np.linspace(60, 200, width, dtype=np.float32)[None, :, None]
    picture = np.broadcast_to(ramp, (height, width, 3)).astype(np.uint8).copy()
    words = [("open24", 0.08, 2.0), ("coffee", 0.35, 1.5), ("exit", 0.55, 3.0), ("route66", 0.85, 1.2)]
    for index, (text, top, size) in enumerate(words):
        place = (width // 12 + index * width // 12, int(top * height) + 20)
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, (20, 20, 20), 5, cv2.LINE_AA)
    return picture


@torch.no_grad()
def reference(network: Any, manifest: Manifest, picture: Image) -> Arrays:
    """What the network computes for a picture, with made-up text features for the text graphs."""
    tensor, _ = prepare(picture, manifest)
    boxes, _, masks, features = DetectorGraph(network).eval()(torch.from_numpy(tensor))
    text_head = network.roi_head.text_head
    made_up = torch.rand(3, *features.shape[1:], generator=torch.Generator().manual_seed(0))
    encoded = EncoderGraph(text_head).eval()(made_up)
    hidden = torch.rand(1, 3, text_head.decoder.hidden_size, generator=torch.Generator().manual_seed(1)) - 0.5
    symbols = torch.tensor([0, 2, 30])
    logits, state, _ = DecoderStepGraph(text_head).eval()(symbols, hidden, encoded.flatten(2).transpose(1, 2))
    arrays = {
        "boxes": boxes,
        "masks": masks,
        "text_features": features,
        "input": made_up,
        "encoder output": encoded,
        "prev_hidden": hidden,
        "prev_symbol": symbols,
        "logits": logits,
        "hidden": state,
    }
    return {name: array.numpy() for name, array in arrays.items()}


def run_onnx(folder: Path, manifest: Manifest, picture: Image, wanted: Arrays) -> Arrays:
    """The same arrays from the plain ONNX graphs."""
    from text_spotting.runtime.onnx_engine import open_session

    tensor, _ = prepare(picture, manifest)
    names = ["boxes", "masks", "text_features"]
    found = dict(zip(names, open_session(folder / manifest.detector).run(names, {"image": tensor}), strict=True))
    (encoded,) = open_session(folder / manifest.encoder).run(["output"], {"input": wanted["input"]})
    feeds = {name: wanted[name] for name in ("prev_symbol", "prev_hidden")}
    feeds["encoder_outputs"] = _positions(encoded)
    logits, hidden = open_session(folder / manifest.decoder).run(["output", "hidden"], feeds)
    return {**found, "encoder output": encoded, "logits": logits, "hidden": hidden}


def run_ir(folder: Path, manifest: Manifest, picture: Image, wanted: Arrays) -> Arrays:
    """The same arrays from the IRs, the text graphs word by word as their shapes demand."""
    import openvino as ov

    core = ov.Core()
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    detector, encoder, decoder = (
        core.compile_model(folder / name, "CPU", exact)
        for name in (manifest.detector, manifest.encoder, manifest.decoder)
    )
    tensor, _ = prepare(picture, manifest)
    result = detector({"image": tensor})
    found = {name: result[name].copy() for name in ("boxes", "masks", "text_features")}
    encoded = np.concatenate([encoder({"input": row[None]})["output"].copy() for row in wanted["input"]])
    steps = []
    for index, memory in enumerate(_positions(encoded)):
        feeds = {
            "prev_symbol": wanted["prev_symbol"][index : index + 1],
            "prev_hidden": wanted["prev_hidden"][:, index : index + 1],
            "encoder_outputs": memory[None],
        }
        step = decoder(feeds)
        steps.append((step["output"].copy(), step["hidden"].copy()))
    logits = np.concatenate([step[0] for step in steps])
    hidden = np.concatenate([step[1] for step in steps], axis=1)
    return {**found, "encoder output": encoded, "logits": logits, "hidden": hidden}


def _positions(encoded: FloatArray) -> FloatArray:
    return np.ascontiguousarray(encoded.reshape(*encoded.shape[:2], -1).transpose(0, 2, 1))


def compare(wanted: Arrays, found: Arrays) -> Agreement:
    """Match detections by place, since near-equal scores may change their order, and measure the differences."""
    ours, theirs = _partners(wanted["boxes"], found["boxes"])
    most = max(len(wanted["boxes"]), len(found["boxes"]))
    rows = {name: (wanted[name][ours], found[name][theirs]) for name in ("boxes", "masks", "text_features")}
    boxes, others = rows["boxes"]
    differences = {
        "unmatched": max(most - len(ours) - 1, 0) / max(most, 1),
        "boxes": _largest(boxes[:, :4] - others[:, :4]),
        "scores": _largest(boxes[:, 4] - others[:, 4]),
        "masks": _largest(rows["masks"][0] - rows["masks"][1]),
        "text_features": _relative(*rows["text_features"]),
    }
    for name in ("encoder output", "logits", "hidden"):
        differences[name] = _relative(wanted[name], found[name])
    return Agreement(len(ours), differences)


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
            f"{name} by {agreement.differences[name]:.3g} (at most {TOLERANCES[name]:.3g})" for name in broken
        )
        raise UserError(f"{back_end} does not agree with PyTorch on the test picture: {details}; nothing was exported")
