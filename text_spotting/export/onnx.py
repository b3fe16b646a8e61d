"""Writing the three graphs as plain ONNX."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import nn

from text_spotting.export.graphs import DecoderStepGraph, DetectorGraph, EncoderGraph
from text_spotting.manifest import KEY, Manifest

OPSET = 17


def write_onnx(network: Any, manifest: Manifest, folder: Path) -> None:
    """Trace the network's graphs into the three files that ``manifest`` names.

    The detector's height and width stay free (multiples of the network's largest stride), as does the number of
    words in the text graphs.

    Args:
        network: a ``MaskTextSpotter`` in evaluation mode.
        manifest: for plain ONNX, so not ``embedded``; written into the detector's metadata.
        folder: where the files go.
    """
    width, height = manifest.input_size
    image = torch.zeros(1, 3, height, width)
    features = torch.zeros(2, *text_feature_shape(network))
    text_head = network.roi_head.text_head
    with torch.no_grad(), silence():
        encoded = text_head.encoder(features)
        _trace(
            DetectorGraph(network).eval(),
            (image,),
            folder / manifest.detector,
            {"image": {2: "height", 3: "width"}},
            {name: {0: "words"} for name in ("boxes", "labels", "masks", "text_features")},
        )
        _trace(
            EncoderGraph(text_head).eval(),
            (features,),
            folder / manifest.encoder,
            {"input": {0: "words"}},
            {"output": {0: "words"}},
        )
        _trace(
            DecoderStepGraph(text_head).eval(),
            (
                torch.zeros(2, dtype=torch.int64),
                torch.zeros(1, 2, text_head.decoder.hidden_size),
                encoded.flatten(2).transpose(1, 2),
            ),
            folder / manifest.decoder,
            {"prev_symbol": {0: "words"}, "prev_hidden": {1: "words"}, "encoder_outputs": {0: "words"}},
            {"output": {0: "words"}, "hidden": {1: "words"}, "attention": {0: "words"}},
        )
    _add_manifest(folder / manifest.detector, manifest)


def text_feature_shape(network: Any) -> tuple[int, int, int]:
    """Channels, height and width of one word's text features."""
    extractor = network.roi_head.text_roi_extractor
    return (extractor.out_channels, *extractor.roi_layers[0].output_size)


def _trace(
    module: nn.Module,
    inputs: tuple[torch.Tensor, ...],
    path: Path,
    input_axes: dict[str, dict[int, str]],
    output_axes: dict[str, dict[int, str]],
) -> None:
    # The TorchScript exporter: the newer one cannot follow the data-dependent numbers of boxes.
    torch.onnx.export(
        module,
        inputs,
        str(path),
        dynamo=False,
        opset_version=OPSET,
        input_names=list(input_axes),
        output_names=list(output_axes),
        dynamic_axes={**input_axes, **output_axes},
    )
    onnx.checker.check_model(str(path))


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Hide the tracer's warnings about sizes that are fixed on purpose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _add_manifest(path: Path, manifest: Manifest) -> None:
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, {KEY: manifest.to_json()})
    onnx.save(model, str(path))
