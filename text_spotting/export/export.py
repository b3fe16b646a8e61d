"""The whole export: trace, convert, prove, and only then put the files where they belong."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from text_spotting.engine.torch_spotter import manifest_of
from text_spotting.errors import UserError
from text_spotting.export import verify
from text_spotting.export.onnx import write_onnx
from text_spotting.export.openvino import convert, ir_manifest, save
from text_spotting.manifest import Manifest
from text_spotting.runtime.files import BASE_NAME

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What to export.

    Attributes:
        onnx, openvino: which formats are kept.
        input_order: colour order, "BGR" or "RGB", in which the IR takes raw pictures.
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
        raise UserError(f"--input-size {size[0]}x{size[1]}: both sides must be multiples of {divisor}")
    return replace(
        manifest_of(config),
        input_size=(int(size[0]), int(size[1])),
        detector=f"{BASE_NAME}.onnx",
        encoder=f"{BASE_NAME}_text_recognition_head_encoder.onnx",
        decoder=f"{BASE_NAME}_text_recognition_head_decoder.onnx",
    )


def export(network: Any, manifest: Manifest, folder: Path, wishes: Wishes, say: Say = print) -> Exported:
    """Write the three graphs in each format into ``folder``, after comparing them with the network.

    Args:
        network: a ``MaskTextSpotter`` in evaluation mode on the CPU.
        manifest: of the plain graphs, see ``plain_manifest``.
        folder: made when missing; files of the same names are replaced, all or none.
        wishes: formats and variants.
        say: told what is being done.

    Raises:
        UserError: the folder cannot be written, or an exported graph disagrees with the network.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(dir=folder, prefix=".export-")
    except OSError as error:
        raise UserError(f"--save-model-to {folder}: cannot write there ({error.strerror})") from error
    with scratch as name:
        place = Path(name)
        agreements = _make(network, manifest, place, wishes, say)
        kept = [path for path in sorted(place.iterdir()) if (path.suffix == ".onnx") <= wishes.onnx]
        files = [path.replace(folder / path.name) for path in kept]
    return Exported(files, agreements)


def _make(network: Any, manifest: Manifest, place: Path, wishes: Wishes, say: Say) -> dict[str, verify.Agreement]:
    say(f"tracing the network at {manifest.input_size[0]}x{manifest.input_size[1]}")
    write_onnx(network, manifest, place)
    graphs: dict[str, Any] = {}
    embedded = ir_manifest(manifest, wishes.input_order)
    if wishes.openvino:
        say("converting to OpenVINO IR")
        graphs = convert(network, manifest, place, embedded)
        save(graphs, place)
    say("comparing with PyTorch")
    agreements = _prove(network, manifest, place, embedded if wishes.openvino else None)
    if not next(iter(agreements.values())).words:
        say(
            "no word found on the test picture (little training?); comparing once more with every detection let through"
        )
        agreements = _prove_without_threshold(network, manifest, wishes, say)
    if wishes.openvino and wishes.fp16:
        # Proven in full precision: rounding the weights moves results by more than an error may.
        save(graphs, place, fp16=True)
    return agreements


def _prove(network: Any, plain: Manifest, place: Path, embedded: Manifest | None) -> dict[str, verify.Agreement]:
    picture = verify.sample_picture()
    wanted = verify.reference(network, plain, picture)
    agreements = {"ONNX": verify.compare(wanted, verify.run_onnx(place, plain, picture, wanted))}
    if embedded:
        agreements["OpenVINO"] = verify.compare(wanted, verify.run_ir(place, embedded, picture, wanted))
    for back_end, agreement in agreements.items():
        verify.require(agreement, back_end)
    return agreements


def _prove_without_threshold(network: Any, manifest: Manifest, wishes: Wishes, say: Say) -> dict[str, verify.Agreement]:
    settings = network.test_cfg.rcnn
    threshold = settings.score_thr
    settings.score_thr = 0.0
    try:
        with tempfile.TemporaryDirectory() as name:
            return _make(network, manifest, Path(name), replace(wishes, fp16=False), say)
    finally:
        settings.score_thr = threshold
