"""VIA, the VGG Image Annotator (Dutta & Zisserman 2019), versions 1 and 2: regions with attributes of one's own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from text_spotting.annotations.checks import Checked, annotated, checked_word, image_size, word_of
from text_spotting.annotations.outlines import band, ellipse
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError
from text_spotting.files.json_files import load_object
from text_spotting.files.values import MalformedError, mapping, number, points, sequence, shown, text, truth
from text_spotting.geometry import box_to_polygon
from text_spotting.image_files import find_named

_TEXT_NAMES = ("text", "transcription", "label", "word", "name")


@dataclass(frozen=True)
class Via:
    """A VIA project or its exported annotations (JSON).

    Attributes:
        root: folder that the others are relative to.
        annotation_path: the JSON file.
        images_folder: folder of the images; by default that of the file.
        text_attribute: region attribute with the transcription; by default ``text``, ``transcription``, ``label``,
            ``word`` or ``name``, or the only one there is.
        legible_attribute: region attribute that says whether the word can be read.
    """

    root: Path
    annotation_path: str
    images_folder: str | None = None
    text_attribute: str = ""
    legible_attribute: str = "legible"

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image of the project."""
        file = self.root / self.annotation_path
        document = load_object(file)
        records = document.get("_via_img_metadata", document)
        if not isinstance(records, dict):
            raise UserError(f"{file}: holds no images; is this a VIA project or its JSON export?")
        folder = file.parent if self.images_folder is None else self.root / self.images_folder
        for key, record in records.items():
            place = f"{file}: {shown(key)}"
            try:
                image = mapping(record)
                path, regions = find_named(folder, text(image.get("filename"))), _regions(image)
            except MalformedError as error:
                problems.add("not an image's record: skipped with its words", place, str(error))
                continue
            size = image_size(path, place, problems)
            if size is not None:
                words = [self._word(one, size, f"{place} region {n}", problems) for n, one in enumerate(regions)]
                yield from annotated(path, size, words, place, problems)

    def _word(self, record: Any, size: tuple[int, int], place: str, problems: Problems) -> Checked:
        def make() -> Checked:
            region = mapping(record)
            attributes = mapping(region.get("region_attributes") or {})
            outline, is_word = _outline(mapping(region.get("shape_attributes")))
            if not is_word:
                problems.add("a shape that cannot be a word: made a don't-care region", place)
            legible = is_word and truth(attributes.get(self.legible_attribute, True))
            return checked_word(
                outline, size, place, problems, text=text(self._text(attributes)).strip(), legible=legible
            )

        return word_of(make, place, problems)

    def _text(self, attributes: Mapping[str, Any]) -> Any:
        if self.text_attribute:
            return attributes.get(self.text_attribute)
        named = {str(key).strip().lower(): value for key, value in attributes.items()}
        found = [named[name] for name in _TEXT_NAMES if name in named]
        return found[0] if found else next(iter(named.values())) if len(named) == 1 else None


def _regions(image: Mapping[str, Any]) -> list[Any]:
    """Version 1 numbers the regions of an object, version 2 lists them."""
    regions = image.get("regions")
    return list(regions.values()) if isinstance(regions, dict) else sequence(regions)


def _outline(shape: Mapping[str, Any]) -> tuple[NDArray[Any], bool]:
    kind = shape.get("name")
    if kind in ("polygon", "polyline"):
        xs, ys = sequence(shape.get("all_points_x")), sequence(shape.get("all_points_y"))
        if len(xs) != len(ys):
            raise MalformedError(f"{len(xs)} x and {len(ys)} y")
        corners = points(list(zip(xs, ys, strict=True)), least=1)
        return (corners, True) if kind == "polygon" else (band(corners), False)
    if kind == "rect":
        x, y, width, height = (number(shape.get(key)) for key in ("x", "y", "width", "height"))
        return box_to_polygon((x, y, x + width, y + height)), True
    if kind in ("circle", "ellipse"):
        cx, cy = number(shape.get("cx")), number(shape.get("cy"))
        rx, ry = (number(shape.get(key, shape.get("r"))) for key in ("rx", "ry"))
        # VIA gives theta in radians.
        return ellipse((cx, cy), (rx, ry), float(np.degrees(number(shape.get("theta", 0))))), True
    if kind == "point":
        return band(points([number(shape.get("cx")), number(shape.get("cy"))], least=1)), False
    raise MalformedError(f"a shape {shown(kind)}")
