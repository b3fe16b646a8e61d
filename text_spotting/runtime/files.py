"""Which files an exported model consists of."""

import os
from pathlib import Path
from typing import NamedTuple

from text_spotting.errors import UserError
from text_spotting.manifest import Manifest

EXPORTED = (".xml", ".bin", ".onnx")
"""Endings of the files by which an exported model may be named."""
BASE_NAME = "model"
RECOGNIZER = f"{BASE_NAME}_text_recognizer.onnx"
MANIFEST_NAME = "manifest.json"
"""Beside the graphs: their manifests, by format."""
CARD_NAME = "card.json"
"""Beside the graphs of a model that was measured: its name and figures, for people."""
INT8_FOLDER = "int8"
"""Beside the graphs of a model that was quantized, too: the same model in INT8, with files of the same names."""
BOX = Path(__file__).parents[1] / "box"
"""The model that comes with the package."""


def find_detector(path: str | os.PathLike[str] | None) -> Path:
    """Return the detector's ``.xml`` or ``.onnx`` for any way of naming an exported model.

    Args:
        path: the folder, the ``.xml``, its ``.bin``, or the ``.onnx``; None for the model in the box.

    Raises:
        UserError: nothing there, or a file of another kind.
    """
    if path is None and not BOX.is_dir():
        raise UserError(f"{BOX}: this installation has no model in the box; name an exported model")
    path = BOX if path is None else Path(path)
    if path.is_dir():
        return _in_folder(path)
    if path.suffix not in EXPORTED:
        raise UserError(f"{path}: not an exported model ({', '.join(EXPORTED)}); make one with tools/export.py")
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


def int8_beside(detector: Path) -> Path | None:
    """The detector of the same model in INT8, where that lies beside it."""
    quantized = detector.parent / INT8_FOLDER / detector.name
    return quantized if quantized.is_file() else None


class GraphFiles(NamedTuple):
    """The files of one exported model; ``recognizer`` is None where its encoder and decoder read."""

    detector: Path
    encoder: Path
    decoder: Path
    recognizer: Path | None


def graph_files(detector: Path, manifest: Manifest) -> GraphFiles:
    """Return the graphs of a model, which lie beside the detector's.

    Raises:
        UserError: one of them is missing.
    """
    found = GraphFiles(
        detector,
        detector.parent / manifest.encoder,
        detector.parent / manifest.decoder,
        detector.parent / manifest.recognizer if manifest.recognizer else None,
    )
    for path, role in zip(found, ("detector", "text encoder", "text decoder", "recognizer"), strict=True):
        if path is not None:
            _must_exist(path, f"the {role}'s graph")
    return found


def weight_files(detector: Path, manifest: Manifest) -> list[Path]:
    """Return every file of an exported model: of an IR the .xml and the .bin of each graph."""
    graphs = [path for path in graph_files(detector, manifest) if path is not None]
    return [
        path.with_suffix(end)
        for path in graphs
        for end in ((".xml", ".bin") if path.suffix == ".xml" else (path.suffix,))
    ]
