"""OpenVINO IR that takes images as they are."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import openvino as ov
from openvino._offline_transformations import apply_moc_transformations

from text_spotting.contract import TEXT_FEATURES
from text_spotting.export.coordinates import clamp_pooled_maps, mark_float32_layers
from text_spotting.export.onnx import write_raw_detector
from text_spotting.manifest import KEY, Manifest
from text_spotting.runtime.session import CORE


def ir_manifest(manifest: Manifest, input_order: str = "BGR") -> Manifest:
    """Return the manifest of the IRs that belong to plain ONNX graphs with ``manifest``."""

    def ir_name(name: str) -> str:
        return str(Path(name).with_suffix(".xml"))

    return replace(
        manifest,
        embedded=True,
        input_order=input_order,
        detector=ir_name(manifest.detector),
        encoder=ir_name(manifest.encoder),
        decoder=ir_name(manifest.decoder),
        recognizer=ir_name(manifest.recognizer) if manifest.recognizer else "",
    )


def convert(network: Any, plain: Manifest, source: Path, embedded: Manifest) -> dict[str, ov.Model]:
    """Return the three graphs by file name, with fixed shapes and one word at a time, as existing clients expect.

    Args:
        network: a ``MaskTextSpotter`` in evaluation mode.
        plain: manifest of the ONNX files.
        source: their folder; the text graphs are taken from there.
        embedded: manifest of the IRs, written into the detector's ``rt_info``.
    """
    with tempfile.TemporaryDirectory() as folder:
        traced = Path(folder) / "detector.onnx"
        write_raw_detector(network, embedded, traced)
        detector = read_onnx(traced)
    clamp_pooled_maps(detector)
    # Clients of 2021 ask for the name that the converter of their time gave to this output.
    detector.output(TEXT_FEATURES).add_names({f"{TEXT_FEATURES}.0"})
    detector.set_rt_info(embedded.to_json(), [KEY])
    graphs = {embedded.detector: detector}
    for name, target in ((plain.encoder, embedded.encoder), (plain.decoder, embedded.decoder)):
        graphs[target] = read_onnx(source / name)
        graphs[target].reshape({port.any_name: _one_word(port.partial_shape) for port in graphs[target].inputs})
    if plain.recognizer:
        graphs[embedded.recognizer] = read_onnx(source / plain.recognizer)
    return graphs


def read_onnx(path: Path) -> ov.Model:
    """Return an ONNX file as an OpenVINO model, simplified.

    Not with ``ov.convert_model``: it sends usage statistics, and without a network waits half a minute for that.
    """
    graph = CORE.read_model(path)
    # What that function does besides: fold constants and fuse pairs of layers, which quantization relies on.
    apply_moc_transformations(graph, cf=True)
    return graph


def save(graphs: dict[str, ov.Model], folder: Path, *, fp16: bool = False) -> None:
    """Write .xml and .bin files; with ``fp16`` weights are stored in half precision."""
    for name, graph in graphs.items():
        ov.save_model(graph, folder / name, compress_to_fp16=fp16)
        if graph.has_rt_info([KEY]):
            mark_float32_layers(folder / name)


def _one_word(shape: ov.PartialShape) -> list[int]:
    return [1 if size.is_dynamic else size.get_length() for size in shape]
