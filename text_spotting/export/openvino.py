"""Turning the plain ONNX graphs into OpenVINO IR that takes pictures as they are."""

from dataclasses import replace
from pathlib import Path

import openvino as ov
from openvino.preprocess import PrePostProcessor

from text_spotting.manifest import KEY, Manifest


def ir_manifest(manifest: Manifest, input_order: str = "BGR") -> Manifest:
    """Return the manifest of the IRs made from plain ONNX graphs with ``manifest``."""

    def ir_name(name: str) -> str:
        return str(Path(name).with_suffix(".xml"))

    return replace(
        manifest,
        embedded=True,
        input_order=input_order,
        detector=ir_name(manifest.detector),
        encoder=ir_name(manifest.encoder),
        decoder=ir_name(manifest.decoder),
    )


def write_ir(source: Path, plain: Manifest, folder: Path, embedded: Manifest, *, fp16: bool = False) -> None:
    """Convert the ONNX files that ``plain`` names in ``source`` into the IRs that ``embedded`` names in ``folder``.

    Shapes become fixed, one word at a time in the text graphs, as existing clients expect.

    Args:
        source: folder of the .onnx files.
        plain: their manifest.
        folder: where the .xml and .bin files go.
        embedded: manifest of the IRs, written into the detector's ``rt_info``.
        fp16: store weights in half precision.
    """
    width, height = plain.input_size
    detector = ov.convert_model(source / plain.detector, input=("image", [1, 3, height, width]))
    detector = embed_preprocessing(detector, embedded)
    detector.set_rt_info(embedded.to_json(), [KEY])
    _save(detector, folder / embedded.detector, fp16)
    for name, target in ((plain.encoder, embedded.encoder), (plain.decoder, embedded.decoder)):
        graph = ov.convert_model(source / name)
        graph.reshape({port.any_name: _one_word(port.partial_shape) for port in graph.inputs})
        _save(graph, folder / target, fp16)


def embed_preprocessing(detector: ov.Model, manifest: Manifest) -> ov.Model:
    """Put colour order, mean and scale inside, so that ``image`` takes raw values 0..255."""
    steps = PrePostProcessor(detector)
    image = steps.input("image")
    image.tensor().set_element_type(ov.Type.f32).set_layout(ov.Layout("NCHW"))
    image.model().set_layout(ov.Layout("NCHW"))
    if (manifest.input_order == "RGB") != manifest.to_rgb:
        image.preprocess().reverse_channels()
    image.preprocess().mean(list(manifest.mean)).scale(list(manifest.std))
    return steps.build()


def _one_word(shape: ov.PartialShape) -> list[int]:
    return [1 if size.is_dynamic else size.get_length() for size in shape]


def _save(model: ov.Model, path: Path, fp16: bool) -> None:
    model.validate_nodes_and_infer_types()
    ov.save_model(model, path, compress_to_fp16=fp16)
