"""LabelMe and its descendants (labelme 5 and 6, X-AnyLabeling): one JSON an image, drawn by hand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from text_spotting.annotations.checks import Checked, Rejection, agreed_size, annotated, checked_word
from text_spotting.annotations.lines import read_each
from text_spotting.annotations.outlines import band, ellipse
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError
from text_spotting.files.json_files import load_json
from text_spotting.files.reading import listing
from text_spotting.files.values import MalformedError, mapping, points, sequence, shown, text, truth
from text_spotting.geometry import box_to_polygon
from text_spotting.image_files import find_named

CLASS_LABEL = "text"
"""A shape of this label has its transcription in ``description``; any other label is the transcription itself."""
OUTLINES = ("polygon", "rotation", "oriented_rectangle", "quadrilateral")
LINES = ("line", "linestrip", "point", "points", "polyline")


@dataclass(frozen=True)
class LabelMe:
    """``NAME.json`` with ``imagePath`` and polygons or rectangles, upright or turned, under ``shapes``.

    The transcription is the shape's label, or its description where the label is just ``text``. A word is don't care
    when it says ``###`` or carries the flag ``illegible``. Lines and points become don't-care regions.

    Attributes:
        root: folder that the others are relative to.
        annotations_folder: folder of the JSON files; folders below it are read too.
        images_folder: folder of the images; by default ``imagePath`` is taken relative to each JSON file.
        label: of shapes whose transcription is in ``description``.
    """

    root: Path
    annotations_folder: str
    images_folder: str | None = None
    label: str = CLASS_LABEL

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield the image of every JSON file."""
        folder = self.root / self.annotations_folder
        files = listing(folder, "**/*.json")
        if not files:
            raise UserError(f"no annotation files (*.json) in {folder}; check the root and the folder of the config")
        yield from read_each(files, lambda file: self._read_file(file, problems), problems)

    def _read_file(self, file: Path, problems: Problems) -> Iterator[AnnotatedImage]:
        document = load_json(file)
        if not isinstance(document, dict) or "shapes" not in document:
            problems.add("no 'shapes', so not LabelMe's: passed over", str(file))
            return
        try:
            name = text(document.get("imagePath")) or f"{file.stem}.jpg"
            shapes = sequence(document["shapes"])
        except MalformedError as error:
            raise UserError(f"{file}: {error}") from error
        path = self._image(file, name)
        stated = (document.get("imageWidth"), document.get("imageHeight"))
        size = agreed_size(path, stated, str(file), problems)
        if size is not None:
            words = [
                self._word(shape, size, f"{file}: shapes[{index}]", problems) for index, shape in enumerate(shapes)
            ]
            yield from annotated(path, size, words, str(file), problems)

    def _image(self, file: Path, name: str) -> Path:
        if self.images_folder is None:
            return find_named(file.parent, name)
        return self.root / self.images_folder / name.replace("\\", "/").rpartition("/")[2]

    def _word(self, record: Any, size: tuple[int, int], place: str, problems: Problems) -> Checked:
        try:
            shape = mapping(record)
            outline, is_word = _outline(shape)
            label, flags = text(shape.get("label")), mapping(shape.get("flags") or {})
            is_class = label.strip().lower() == self.label.lower()
            written = text(shape.get("description")) if is_class else label
        except MalformedError as error:
            problems.add("neither a polygon nor a rectangle: dropped", place, str(error))
            return Rejection.UNUSABLE
        if not is_word:
            problems.add("neither a polygon nor a rectangle: made a don't-care region", place, shown(written))
        legible = truth(flags.get("legible", True)) and not truth(flags.get("illegible", False))
        return checked_word(outline, size, place, problems, text=written, legible=is_word and legible)


def _outline(shape: Mapping[str, Any]) -> tuple[NDArray[Any], bool]:
    """Outline of a shape, and whether it may be a word.

    Raises:
        MalformedError: it has none.
    """
    kind, corners = shape.get("shape_type") or "polygon", points(shape.get("points") or [], least=1)
    if kind in OUTLINES or (kind == "rectangle" and len(corners) == 4):
        return corners, True
    if kind == "rectangle" and len(corners) == 2:
        low, high = np.sort(corners, axis=0)
        return box_to_polygon((*low, *high)), True
    if kind == "circle" and len(corners) == 2:
        radius = float(np.linalg.norm(corners[1] - corners[0]))
        return ellipse((corners[0, 0], corners[0, 1]), (radius, radius)), True
    if kind in LINES:
        return band(corners), False
    raise MalformedError(f"shape_type {shown(kind)} with {len(corners)} points")
