"""CVAT for images 1.1: read what people corrected there, and write what they shall correct."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np
from numpy.typing import NDArray

from text_spotting.annotations.checks import Checked, Rejection, agreed_size, annotated, checked_word
from text_spotting.annotations.outlines import band, clockwise, ellipse, flat_points, mask_outline, rotated_box
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage, LabelledWord, labelled
from text_spotting.errors import UserError
from text_spotting.files.values import MalformedError, number, truth, whole_number
from text_spotting.files.writing import write_whole
from text_spotting.files.xml_files import LINE, parse_xml
from text_spotting.image_files import find_named, is_file

LABEL = "text"
"""The one label of the CVAT task; its attributes are text, legible and language."""


@dataclass(frozen=True)
class CvatXml11:
    """``annotations.xml`` as CVAT exports it: polygons, boxes, ellipses and masks of one label are words.

    Lines, points and cuboids of that label become don't-care regions. Labels and attributes are compared without
    regard to case.

    Attributes:
        root: folder that the others are relative to.
        images_folder: folder that the image names of the XML are relative to.
        label: of the shapes that are words.
        text_attribute, legible_attribute, language_attribute: names of their attributes.
    """

    root: Path
    images_folder: str
    annotation_path: str
    label: str = LABEL
    text_attribute: str = "text"
    legible_attribute: str = "legible"
    language_attribute: str = "language"

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image of the task, also those without words."""
        file = self.root / self.annotation_path
        document = parse_xml(file)
        images = list(document.iter("image"))
        if not images and document.find("track") is not None:
            raise UserError(
                f"{file}: holds tracks through a video, which name no images; "
                "export the task as 'CVAT for images 1.1' instead"
            )
        for image, path in self._images(images, file, problems):
            place = _place(file, image)
            size = agreed_size(path, (image.get("width"), image.get("height")), place, problems)
            if size is not None:
                shapes = (shape for shape in image if shape.tag in _WORDS or shape.tag in _REGIONS)
                words = [self._word(shape, size, _place(file, shape), problems) for shape in shapes]
                yield from annotated(path, size, words, place, problems)

    def _images(self, images: Sequence[Element], file: Path, problems: Problems) -> Iterator[tuple[Element, Path]]:
        """Each entry with its own image; one whose own is missing never borrows another's."""
        folder = self.root / self.images_folder
        own = [_own_image(folder, image) for image in images]
        # CVAT may drop or add folders when images are uploaded; a bare name decides where it is one entry's alone.
        bare = [find_named(folder, _name(image).rpartition("/")[2]) for image in images]
        taken = Counter(path for path in own if path)
        claims = taken + Counter(path for path, mine in zip(bare, own, strict=True) if not mine)
        for image, mine, fallback in zip(images, own, bare, strict=True):
            if mine and taken[mine] > 1:
                problems.add("several entries name one image: left out", _place(file, image), str(mine))
            else:
                yield image, mine or (fallback if claims[fallback] == 1 else folder / _name(image))

    def _word(self, shape: Element, size: tuple[int, int], place: str, problems: Problems) -> Checked:
        if (shape.get("label") or "").strip().lower() != self.label.lower():
            found = f"{shape.tag} of label {shape.get('label')!r}"
            problems.add(f"label other than {self.label!r}: dropped", place, found)
            return Rejection.UNUSABLE
        values = {(item.get("name") or "").strip().lower(): item.text or "" for item in shape.iter("attribute")}
        text = values.get(self.text_attribute.lower(), values.get("transcription", ""))
        try:
            outline, is_word = _outline(shape)
        except MalformedError as error:
            problems.add("neither a polygon nor a box: dropped", place, f"{shape.tag}: {error}")
            return Rejection.UNUSABLE
        if not is_word:
            problems.add("a shape that cannot be a word: made a don't-care region", place, f"{shape.tag} {text!r}")
        return checked_word(
            outline,
            size,
            place,
            problems,
            text=text.strip(),
            legible=is_word and truth(values.get(self.legible_attribute.lower(), "true")),
            language=values.get(self.language_attribute.lower(), "").strip(),
        )


def _name(image: Element) -> str:
    return (image.get("name") or "").replace("\\", "/")


def _own_image(folder: Path, image: Element) -> Path | None:
    """The image under the entry's whole name, or in the folder of its subset, as exports of projects have it."""
    name, subset = image.get("name") or "", image.get("subset") or ""
    candidates = [find_named(folder, name), *([find_named(folder / subset, name)] if subset else [])]
    if subset:
        candidates.reverse()
    return next((path for path in candidates if name and is_file(path)), None)


def _outline(shape: Element) -> tuple[NDArray[Any], bool]:
    """Outline of a shape, and whether it may be a word; else it is a region where one may be.

    Raises:
        MalformedError: it has none.
    """
    if shape.tag in _WORDS:
        return _WORDS[shape.tag](shape), True
    return band(_REGIONS[shape.tag](shape)), False


def _points(shape: Element) -> NDArray[Any]:
    return flat_points(shape.get("points", ""))


def _ellipse(shape: Element) -> NDArray[Any]:
    cx, cy, rx, ry = (number(shape.get(key)) for key in ("cx", "cy", "rx", "ry"))
    return ellipse((cx, cy), (rx, ry), number(shape.get("rotation", 0)))


def _skeleton(shape: Element) -> NDArray[Any]:
    parts = [_points(point) for point in shape.iter("points")]
    if not parts:
        raise MalformedError("a skeleton without points")
    return np.concatenate(parts)


def _cuboid(shape: Element) -> NDArray[Any]:
    names = [f"{side}{face}" for side in ("tl", "bl", "tr", "br") for face in (1, 2)]
    return np.array([[number(shape.get(f"{axis}{name}")) for axis in "xy"] for name in names])


def _box(shape: Element) -> NDArray[Any]:
    x1, y1, x2, y2 = (number(shape.get(key)) for key in ("xtl", "ytl", "xbr", "ybr"))
    return rotated_box((x1, y1, x2 - x1, y2 - y1), number(shape.get("rotation", 0)))


def _mask(shape: Element) -> NDArray[Any]:
    runs = [whole_number(run) for run in shape.get("rle", "").split(",")]
    left, top, width, height = (whole_number(shape.get(key)) for key in ("left", "top", "width", "height"))
    outline = mask_outline(runs, (height, width)) + np.array([left, top])
    return clockwise(outline, start=outline.min(axis=0))


def _place(file: Path, element: Element) -> str:
    return f"{file}:{element.get(LINE)}"


_WORDS: Mapping[str, Callable[[Element], NDArray[Any]]] = {
    "box": _box,
    "polygon": _points,
    "mask": _mask,
    "ellipse": _ellipse,
}
_REGIONS: Mapping[str, Callable[[Element], NDArray[Any]]] = {
    "polyline": _points,
    "points": _points,
    "skeleton": _skeleton,
    "cuboid": _cuboid,
}
"""Shapes that say where something is, but not how far it reaches."""


def write_cvat(path: str | Path, images: Sequence[AnnotatedImage], images_folder: str | Path | None = None) -> None:
    """Write annotations that CVAT imports (CVAT for images 1.1) into a task made of the same images.

    The task needs a label ``text`` with the attributes ``text`` (text), ``legible`` (checkbox) and ``language`` (text).

    Args:
        images_folder: folder that image names shall be relative to; by default the innermost one that holds all
            images, which fits a task to which its content was uploaded.
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
    write_whole(Path(path), '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode"))


def _write_task(root: Element, images: int) -> None:
    """The task with its label, which importers take the names and kinds of attributes from."""
    task = SubElement(SubElement(root, "meta"), "task")
    for key, value in {"name": LABEL, "size": str(images), "mode": "annotation", "overlap": "0"}.items():
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
