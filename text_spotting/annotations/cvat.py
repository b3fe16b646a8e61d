"""CVAT for images 1.1: read what people corrected there, and write what they shall correct."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from text_spotting.annotations.checks import agreed_size, checked_word
from text_spotting.annotations.dataset_file import truth, write_text_atomically
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage, LabelledWord, labelled
from text_spotting.annotations.td500 import rotated_box
from text_spotting.annotations.xml_lines import LINE, parse_xml
from text_spotting.words import FloatArray

LABEL = "text"
"""The one label of the CVAT task; its attributes are text, legible and language."""


@dataclass(frozen=True)
class CvatXml11:
    """``annotations.xml`` as CVAT exports it: polygons and boxes of the label ``text``.

    Attributes:
        root: folder that the others are relative to.
        images_folder: folder that the picture names of the XML are relative to.
    """

    root: Path
    images_folder: str
    annotation_path: str

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every picture of the task, also those without words."""
        file = self.root / self.annotation_path
        for image in parse_xml(file).iter("image"):
            place = _place(file, image)
            path = self._find(image.get("name", ""))
            size = agreed_size(path, (image.get("width"), image.get("height")), place, problems)
            if size is not None:
                words = (_word(shape, size, _place(file, shape), problems) for shape in image)
                yield AnnotatedImage(path, *size, [word for word in words if word is not None])

    def _find(self, name: str) -> Path:
        """CVAT may drop or add folders when pictures are uploaded; the bare name decides then."""
        folder = self.root / self.images_folder
        return folder / name if (folder / name).is_file() else folder / Path(name).name


def write_cvat(path: str | Path, images: Sequence[AnnotatedImage], images_folder: str | Path | None = None) -> None:
    """Write annotations that CVAT imports (CVAT for images 1.1) into a task made of the same pictures.

    The task needs a label ``text`` with the attributes ``text`` (text), ``legible`` (checkbox) and ``language`` (text).

    Args:
        images_folder: folder that picture names shall be relative to; by default the innermost one that holds all
            pictures, which fits a task to which its content was uploaded.
    """
    start = images_folder or os.path.commonpath([image.path.absolute().parent for image in images])
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    _write_task(root, len(images))
    for index, image in enumerate(images):
        name = Path(os.path.relpath(image.path, start)).as_posix()
        size = {"width": str(image.width), "height": str(image.height)}
        element = SubElement(root, "image", {"id": str(index), "name": name, **size})
        for word in image.words:
            _write_word(element, labelled(word))
    indent(root)
    write_text_atomically(Path(path), '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode"))


def _write_task(root: Element, pictures: int) -> None:
    """The task with its label, which importers take the names and kinds of attributes from."""
    task = SubElement(SubElement(root, "meta"), "task")
    for key, value in {"name": LABEL, "size": str(pictures), "mode": "annotation", "overlap": "0"}.items():
        SubElement(task, key).text = value
    label = SubElement(SubElement(task, "labels"), "label")
    SubElement(label, "name").text = LABEL
    attributes = SubElement(label, "attributes")
    for name, kind, values in (("text", "text", ""), ("legible", "checkbox", "true"), ("language", "text", "")):
        attribute = SubElement(attributes, "attribute")
        described = {"name": name, "mutable": "False", "input_type": kind, "default_value": values, "values": values}
        for key, value in described.items():
            SubElement(attribute, key).text = value


def _write_word(image: Element, word: LabelledWord) -> None:
    points = ";".join(f"{x:.2f},{y:.2f}" for x, y in word.polygon)
    shape = SubElement(
        image, "polygon", {"label": LABEL, "source": "manual", "occluded": "0", "points": points, "z_order": "0"}
    )
    values = {"text": word.text, "legible": "true" if word.legible else "false", "language": word.language}
    for name, value in values.items():
        SubElement(shape, "attribute", {"name": name}).text = value


def _place(file: Path, element: Element) -> str:
    return f"{file}:{element.get(LINE)}"


def _word(shape: Element, size: tuple[int, int], place: str, problems: Problems) -> LabelledWord | None:
    if shape.get("label") != LABEL:
        problems.add(f"label other than {LABEL!r}: dropped", place, f"{shape.tag} of label {shape.get('label')!r}")
        return None
    try:
        points = _outline(shape)
    except ValueError:
        points = None
    if points is None:
        problems.add("neither a polygon nor a box: dropped", place, shape.tag)
        return None
    values = {item.get("name", ""): (item.text or "").strip() for item in shape.iter("attribute")}
    return checked_word(
        points,
        size,
        place,
        problems,
        text=values.get("text", values.get("transcription", "")),
        legible=truth(values.get("legible", "true")),
        language=values.get("language", ""),
    )


def _outline(shape: Element) -> FloatArray | list[list[float]] | None:
    if shape.tag == "polygon":
        return [[float(value) for value in point.split(",")] for point in shape.get("points", "").split(";")]
    if shape.tag != "box":
        return None
    x1, y1, x2, y2 = (float(shape.get(key, "nan")) for key in ("xtl", "ytl", "xbr", "ybr"))
    return rotated_box((x1, y1, x2 - x1, y2 - y1), float(shape.get("rotation", 0)))
