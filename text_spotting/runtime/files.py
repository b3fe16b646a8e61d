"""Which files an exported model consists of."""

from pathlib import Path

from text_spotting.errors import UserError
from text_spotting.manifest import Manifest

BASE_NAME = "model"


def find_detector(path: str | Path) -> Path:
    """Return the detector's ``.xml`` or ``.onnx`` for any way of naming an exported model.

    Args:
        path: the folder, the ``.xml``, its ``.bin``, or the ``.onnx``.

    Raises:
        UserError: nothing there, or a file of another kind.
    """
    path = Path(path)
    if path.is_dir():
        return _in_folder(path)
    if path.suffix not in (".xml", ".bin", ".onnx"):
        raise UserError(f"{path}: not an exported model (.xml, .bin or .onnx); make one with tools/export.py")
    detector = path.with_suffix(".xml") if path.suffix == ".bin" else path
    _must_exist(detector, "the detector's graph")
    return detector


def _in_folder(folder: Path) -> Path:
    for suffix in (".xml", ".onnx"):
        candidate = folder / (BASE_NAME + suffix)
        if candidate.is_file():
            return candidate
    raise UserError(f"{folder}: holds no {BASE_NAME}.xml or {BASE_NAME}.onnx; make one with tools/export.py")


def _must_exist(path: Path, role: str) -> None:
    if not path.is_file():
        raise UserError(f"{path}: {role} is missing; export the model again or put the file there")


def text_graphs(detector: Path, manifest: Manifest) -> tuple[Path, Path]:
    """Return the encoder's and the decoder's file, which lie beside the detector's.

    Raises:
        UserError: one of them is missing.
    """
    encoder, decoder = detector.parent / manifest.encoder, detector.parent / manifest.decoder
    _must_exist(encoder, "the text encoder's graph")
    _must_exist(decoder, "the text decoder's graph")
    return encoder, decoder
