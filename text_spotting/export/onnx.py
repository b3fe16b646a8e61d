"""Writing the three graphs as plain ONNX."""

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import nn

from text_spotting.contract import (
    ATTENTION,
    DETECTOR_OUTPUTS,
    ENCODED,
    ENCODER_OUTPUTS,
    HIDDEN,
    IMAGE,
    LOGITS,
    PREVIOUS_HIDDEN,
    PREVIOUS_SYMBOL,
    PROBABILITIES,
    WORDS,
    flatten_positions,
)
from text_spotting.export.graphs import (
    DecoderStepGraph,
    DetectorGraph,
    EncoderGraph,
    RawDetectorGraph,
    RecognizerGraph,
)
from text_spotting.manifest import KEY, Manifest

OPSET = 17

Axes = Mapping[str, dict[int, str]]
"""Which axes of a named tensor are free, and what to call them."""


def write_onnx(network: Any, manifest: Manifest, folder: Path) -> None:
    """Trace the network's graphs into the three files that ``manifest`` names.

    The detector's height and width stay free (multiples of the network's largest stride), as does the number of
    words in the text graphs.

    Args:
        network: a ``MaskTextSpotter`` in evaluation mode.
        manifest: for plain ONNX, so not ``embedded``; written into the detector's metadata.
        folder: where the files go.
    """
    path = folder / manifest.detector
    _trace(DetectorGraph(network), (_blank(manifest),), path, {IMAGE: {2: "height", 3: "width"}}, _WORDS)
    _add_manifest(path, manifest)
    _write_text_graphs(network.roi_head.text_head, text_feature_shape(network), manifest, folder)


def write_raw_detector(network: Any, manifest: Manifest, path: Path) -> None:
    """Trace the detector that takes raw images of the manifest's size, for conversion to IR."""
    _trace(RawDetectorGraph(network, manifest), (_blank(manifest),), path, {IMAGE: {}}, _WORDS)


_WORDS: Axes = {name: {0: "words"} for name in DETECTOR_OUTPUTS}


def _blank(manifest: Manifest) -> torch.Tensor:
    width, height = manifest.input_size
    return torch.zeros(1, 3, height, width)


def _write_text_graphs(text_head: Any, shape: tuple[int, int, int], manifest: Manifest, folder: Path) -> None:
    features = torch.zeros(2, *shape)
    with torch.no_grad():
        memory = flatten_positions(text_head.encoder(features))
    words = {0: "words"}
    _trace(EncoderGraph(text_head), (features,), folder / manifest.encoder, {WORDS: words}, {ENCODED: words})
    _trace(
        DecoderStepGraph(text_head),
        (torch.zeros(2, dtype=torch.int64), torch.zeros(1, 2, text_head.decoder.hidden_size), memory),
        folder / manifest.decoder,
        {PREVIOUS_SYMBOL: words, PREVIOUS_HIDDEN: {1: "words"}, ENCODER_OUTPUTS: words},
        {LOGITS: words, HIDDEN: {1: "words"}, ATTENTION: words},
    )
    if manifest.recognizer:
        crops, sides = torch.zeros(2, 3, *_CROP), {0: "words", 3: "width"}
        path = folder / manifest.recognizer
        _trace(RecognizerGraph(text_head), (crops,), path, {WORDS: sides}, {PROBABILITIES: {0: "words", 1: "columns"}})


_CROP = (32, 112)
"""Height, and any one width, of the words that the recognizer is traced with."""


def text_feature_shape(network: Any) -> tuple[int, int, int]:
    """Channels, height and width of one word's text features."""
    extractor = network.roi_head.text_roi_extractor
    pooled = getattr(extractor, "output_size", None) or extractor.roi_layers[0].output_size
    return (extractor.out_channels, *pooled)


def _trace(module: nn.Module, inputs: tuple[torch.Tensor, ...], path: Path, taken: Axes, given: Axes) -> None:
    # The TorchScript exporter: the newer one cannot follow the data-dependent numbers of boxes.
    with torch.no_grad(), _silence():
        torch.onnx.export(
            module.eval(),
            inputs,
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(taken),
            output_names=list(given),
            dynamic_axes={**taken, **given},
        )
    onnx.checker.check_model(str(path))


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Hide the tracer's warnings about sizes that are fixed on purpose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _add_manifest(path: Path, manifest: Manifest) -> None:
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, {KEY: manifest.to_json()})
    onnx.save(model, str(path))
