"""The whole export: trace, convert, prove, and only then put the files where they belong."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from text_spotting.contract import TEXT_FEATURES
from text_spotting.engine.torch_engine import TorchEngine
from text_spotting.engine.torch_spotter import manifest_of
from text_spotting.errors import UserError
from text_spotting.export import verify
from text_spotting.export.onnx import text_feature_shape, write_onnx
from text_spotting.export.openvino import convert, ir_manifest, save
from text_spotting.manifest import Manifest
from text_spotting.runtime.files import BASE_NAME, MANIFEST_NAME
from text_spotting.runtime.options import Target, open_engine

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What to export.

    Attributes:
        onnx, openvino: which formats are kept.
        input_order: color order, "BGR" or "RGB", in which the IR takes raw images.
        fp16: store the IR's weights in half precision.
    """

    onnx: bool = True
    openvino: bool = True
    input_order: str = "BGR"
    fp16: bool = False


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export made and proved."""

    files: list[Path]
    agreements: dict[str, verify.Agreement] = field(default_factory=dict)


def plain_manifest(config: Any, input_size: tuple[int, int] | None = None) -> Manifest:
    """Return the manifest of a network's plain ONNX graphs.

    Args:
        config: the work dir's configuration.
        input_size: width, height to use in place of the configuration's.

    Raises:
        UserError: the size is not a multiple of the network's padding.
    """
    size = input_size or tuple(config.input_size)
    divisor = config.model.data_preprocessor.get("pad_size_divisor", 1)
    if any(side % divisor or side < divisor for side in size):
        raise UserError(f"{size[0]}x{size[1]}: both sides must be multiples of {divisor}", about="input_size")
    return replace(
        manifest_of(config),
        input_size=(int(size[0]), int(size[1])),
        detector=f"{BASE_NAME}.onnx",
        encoder=f"{BASE_NAME}_text_recognition_head_encoder.onnx",
        decoder=f"{BASE_NAME}_text_recognition_head_decoder.onnx",
    )


def export(network: Any, manifest: Manifest, folder: Path, options: ExportOptions, log: Log = print) -> Exported:
    """Write the three graphs in each format into ``folder``, after comparing them with the network.

    Args:
        network: a ``MaskTextSpotter`` in evaluation mode on the CPU.
        manifest: of the plain graphs, see ``plain_manifest``.
        folder: made when missing; files of the same names are replaced, all or none.
        options: formats and variants.
        log: takes a line on each step.

    Raises:
        UserError: the folder cannot be written, or an exported graph disagrees with the network.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(dir=folder, prefix=".export-")
    except OSError as error:
        raise UserError(f"{folder}: cannot write there ({error.strerror})", about="save_model_to") from error
    with scratch as name:
        place = Path(name)
        agreements = _make(network, manifest, place, options, log)
        _write_manifests(place / MANIFEST_NAME, network, manifest, options)
        kept = [path for path in sorted(place.iterdir()) if (path.suffix == ".onnx") <= options.onnx]
        files = [path.replace(folder / path.name) for path in kept]
    return Exported(files, agreements)


def _make(
    network: Any, manifest: Manifest, place: Path, options: ExportOptions, log: Log
) -> dict[str, verify.Agreement]:
    log(f"tracing the network at {manifest.input_size[0]}x{manifest.input_size[1]}")
    write_onnx(network, manifest, place)
    if options.openvino:
        log("converting to OpenVINO IR")
        embedded = ir_manifest(manifest, options.input_order)
        save(convert(network, manifest, place, embedded), place, fp16=options.fp16)
    log("comparing with PyTorch")
    agreements = _verify(network, manifest, place, options)
    if not next(iter(agreements.values())).words:
        log("no word found on the test image (little training?); comparing once more with every detection let through")
        agreements = _verify_without_threshold(network, manifest, options, log)
    return agreements


def _verify(network: Any, plain: Manifest, place: Path, options: ExportOptions) -> dict[str, verify.Agreement]:
    """Compare the files as they lie in ``place`` with the network itself.

    Raises:
        UserError: one computes something else.
    """
    image, features = verify.sample_image(), verify.text_features(text_feature_shape(network))
    wanted = verify.measure(TorchEngine(network, plain), image, features)
    exact = Target(precision="f32")
    agreements = {}
    for back_end, suffix in (("ONNX", ".onnx"), ("OpenVINO", ".xml")):
        detector = (place / plain.detector).with_suffix(suffix)
        if not detector.is_file():
            continue
        found = verify.measure(open_engine(detector, exact), image, features)
        rounded = options.fp16 and suffix == ".xml"
        agreements[back_end] = verify.compare(wanted, found, verify.HALF if rounded else verify.FULL)
        verify.require(agreements[back_end], back_end)
    return agreements


def _verify_without_threshold(
    network: Any, manifest: Manifest, options: ExportOptions, log: Log
) -> dict[str, verify.Agreement]:
    settings = network.test_cfg.rcnn
    threshold = settings.score_thr
    settings.score_thr = 0.0
    try:
        with tempfile.TemporaryDirectory() as name:
            return _make(network, manifest, Path(name), options, log)
    finally:
        settings.score_thr = threshold


def _write_manifests(path: Path, network: Any, plain: Manifest, options: ExportOptions) -> None:
    """The manifests of the formats kept, and sizes of tensors, for clients that cannot read them in the graphs."""
    kept: dict[str, Any] = {
        "hidden_size": network.roi_head.text_head.decoder.hidden_size,
        TEXT_FEATURES: text_feature_shape(network),
    }
    if options.onnx:
        kept["onnx"] = json.loads(plain.to_json())
    if options.openvino:
        kept["openvino"] = json.loads(ir_manifest(plain, options.input_order).to_json())
    path.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
