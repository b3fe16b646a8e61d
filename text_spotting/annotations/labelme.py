"""LabelMe: one JSON a picture, drawn by hand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from text_spotting.annotations.checks import agreed_size, checked_word
from text_spotting.annotations.icdar import natural_key
from text_spotting.annotations.json_files import load_object
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage, LabelledWord
from text_spotting.errors import UserError
from text_spotting.geometry import box_to_polygon
from text_spotting.words import FloatArray

CLASS_LABEL = "text"
"""A shape of this label has its transcription in ``description``; any other label is the transcription itself."""


@dataclass(frozen=True)
class LabelMe:
    """``NAME.json`` with ``imagePath`` and polygons or rectangles under ``shapes``.

    The transcription is the shape's label, or its description where the label is just ``text``. A word is don't care
    when it says ``###`` or carries the flag ``illegible``.

    Attributes:
        root: folder that the others are relative to.
        annotations_folder: folder of the JSON files; folders below it are read too.
        images_folder: folder of the pictures; by default ``imagePath`` is taken relative to each JSON file.
    """

    root: Path
    annotations_folder: str
    images_folder: str | None = None

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield the picture of every JSON file."""
        folder = self.root / self.annotations_folder
        files = sorted(folder.rglob("*.json"), key=natural_key)
        if not files:
            raise UserError(f"no annotation files (*.json) in {folder}; check the root and the folder of the config")
        for file in files:
            document = load_object(file)
            name = str(document.get("imagePath") or f"{file.stem}.jpg").replace("\\", "/")
            path = (
                file.parent / name if self.images_folder is None else self.root / self.images_folder / Path(name).name
            )
            stated = (document.get("imageWidth"), document.get("imageHeight"))
            size = agreed_size(path, stated, str(file), problems)
            if size is not None:
                yield AnnotatedImage(path, *size, list(_words(document, size, file, problems)))


def _words(
    document: Mapping[str, Any], size: tuple[int, int], file: Path, problems: Problems
) -> Iterator[LabelledWord]:
    for index, shape in enumerate(document.get("shapes") or ()):
        place = f"{file}: shapes[{index}]"
        outline = _outline(shape)
        if outline is None:
            problems.add("neither a polygon nor a rectangle: dropped", place, str(shape.get("shape_type")))
            continue
        label, flags = str(shape.get("label") or ""), shape.get("flags") or {}
        text = str(shape.get("description") or "") if label == CLASS_LABEL else label
        legible = bool(flags.get("legible", True)) and not flags.get("illegible", False)
        word = checked_word(outline, size, place, problems, text=text, legible=legible)
        if word is not None:
            yield word


def _outline(shape: Mapping[str, Any]) -> FloatArray | list[Any] | None:
    kind, points = shape.get("shape_type", "polygon"), shape.get("points") or []
    if kind == "polygon":
        return points
    if kind == "rectangle" and len(points) == 2:
        low, high = np.sort(np.asarray(points, dtype=np.float32), axis=0)
        return box_to_polygon((*low, *high))
    return points if kind == "rectangle" and len(points) == 4 else None
