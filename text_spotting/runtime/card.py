"""What an exported model says about itself, without running it."""

import json
from pathlib import Path
from typing import Any

from text_spotting.errors import UserError
from text_spotting.files.json_files import load_object
from text_spotting.manifest import Manifest
from text_spotting.runtime.files import BOX, CARD_NAME, MANIFEST_NAME, weight_files


def read_manifest_beside(detector: Path) -> Manifest:
    """The manifest of a detector's format, from the file beside it.

    Raises:
        UserError: it is missing or broken.
    """
    path = detector.parent / MANIFEST_NAME
    try:
        manifests = load_object(path, "manifest")
    except UserError as error:
        raise UserError(f"{error}; export the model again") from error
    kind = "onnx" if detector.suffix == ".onnx" else "openvino"
    if kind not in manifests:
        raise UserError(f"{path}: has no manifest of {kind} graphs; export the model again")
    return Manifest.from_json(json.dumps(manifests[kind]), str(path))


def describe(detector: Path) -> str:
    """A few lines: what, how large, what it reads, and its figures.

    Raises:
        UserError: see ``read_manifest_beside``, or its card is broken.
    """
    manifest = read_manifest_beside(detector)
    megabytes = sum(path.stat().st_size for path in weight_files(detector, manifest)) / 1e6
    card = _card(detector.parent)
    symbols = "".join(
        symbol for index, symbol in enumerate(manifest.symbols) if index not in (manifest.start, manifest.stop)
    )
    rows = {
        "model": f"{card.pop('name', detector.stem)}{' (in the box)' if detector.parent == BOX else ''}",
        "files": f"{detector.parent}, {megabytes:.1f} MB",
        "input": "{}x{}".format(*manifest.input_size),
        "reads": symbols,
        **card,
    }
    return "\n".join(f"{name:12}{value}" for name, value in rows.items())


def _card(folder: Path) -> dict[str, Any]:
    path = folder / CARD_NAME
    return load_object(path, "card") if path.is_file() else {}
