"""Records of COCO files, ours and those of other tools, made into words; what is guessed or dropped is reported."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from text_spotting.annotations.outlines import coco_mask, joined, rotated_box
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import LabelledWord
from text_spotting.files.values import MalformedError, number, numbers, points, shown, text, truth
from text_spotting.geometry import box_to_polygon
from text_spotting.words import FloatArray

CATEGORY = "text"
_KNOWN_ATTRIBUTES = {"transcription", "legible", "language", "confidence", "rotation"}
_NAMES = {*_KNOWN_ATTRIBUTES, "text"}


@dataclass(frozen=True, slots=True)
class Categories:
    """Which annotations of a file are text.

    Attributes:
        listed: ids as numbers where they are some, by which annotations name them.
        text: those of the text category; all where no category has that name.
        named: whether one had.
        label: that name.
    """

    listed: frozenset[Any]
    text: frozenset[Any]
    named: bool

    @classmethod
    def of(cls, document: Mapping[str, Any], label: str = CATEGORY) -> "Categories":
        """Read a file's ``categories``; a lone one is text whatever its name."""
        listed = document.get("categories")
        entries = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
        names = {_identity(item.get("id")): item.get("name") for item in entries}
        named = {key for key, name in names.items() if isinstance(name, str) and name.strip().lower() == label.lower()}
        return cls(frozenset(names), frozenset(named or names), bool(named), label)

    label: str = CATEGORY

    def accepts(self, annotation: Mapping[str, Any], place: str, problems: Problems) -> bool:
        """Whether an annotation is text; what is guessed or left out is reported."""
        category = _identity(annotation.get("category_id"))
        if not self.listed or category is None:
            return True
        if category in self.text:
            if not self.named and len(self.listed) > 1:
                problems.remark(
                    f"no category is called {self.label!r}: words of all are taken", place, f"category {category}"
                )
            return True
        if len(self.listed) == 1:
            kind = "category that is not listed: taken for the only one that is"
            problems.remark(kind, place, f"category {shown(category)}")
            return True
        kind = f"category other than {self.label!r}" if category in self.listed else "category that is not listed"
        problems.remark(f"{kind}: dropped", place, f"category {shown(category)}")
        return False


def _identity(value: Any) -> Any:
    """An id; numbers written as text are numbers."""
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal() and len(value) < 19:
        return int(value)
    return value if isinstance(value, str | int | float) else None


def identity(value: Any) -> Any:
    """The same, refusing what cannot be one.

    Raises:
        MalformedError: null, a list or an object.
    """
    key = _identity(value)
    if key is None:
        raise MalformedError(f"expected an id, found {shown(value)}")
    return key


def read_word(annotation: Mapping[str, Any], place: str, problems: Problems) -> LabelledWord | None:
    """Return the word of an annotation, or None, reported, where it cannot be understood."""
    try:
        attributes = _attributes(annotation)
        outline = _outline(annotation, attributes, place, problems)
        word = LabelledWord(
            outline,
            text=_transcription(attributes, place, problems),
            score=number(attributes.get("confidence", 1.0), "a confidence"),
            ignore=_is_ignored(annotation, attributes, place, problems),
            language=text(attributes.get("language")),
            attributes={key: value for key, value in attributes.items() if key not in _KNOWN_ATTRIBUTES},
        )
    except MalformedError as error:
        problems.add("neither a polygon nor a box with a text: dropped", place, str(error))
        return None
    if not np.isfinite(word.polygon).all():
        problems.add("coordinates that are not finite: dropped", place)
        return None
    return word


def _attributes(annotation: Mapping[str, Any]) -> Mapping[str, Any]:
    attributes = annotation.get("text", annotation.get("attributes"))
    if attributes is None:
        return {}
    if not isinstance(attributes, dict):
        return {"transcription": attributes}
    named = {key.strip().lower() if key.strip().lower() in _NAMES else key: value for key, value in attributes.items()}
    if "text" in named:  # what the attribute is called in the CVAT task that datasets.md describes
        written = named.pop("text")
        named.setdefault("transcription", written)
    return named


def _transcription(attributes: Mapping[str, Any], place: str, problems: Problems) -> str:
    value = attributes.get("transcription")
    written = text(value)
    if value is not None and not isinstance(value, str):
        problems.remark("text is a number or a truth value: taken as it is written", place, written)
    elif written != (value or ""):
        problems.remark("text holds half a character: replaced", place, shown(value))
    return written


def _is_ignored(annotation: Mapping[str, Any], attributes: Mapping[str, Any], place: str, problems: Problems) -> bool:
    """Don't care: what ``legible`` denies or, where it is silent, what ``iscrowd`` says; and what says ``ignore``."""
    crowd = truth(annotation.get("iscrowd", 0))
    if truth(annotation.get("ignore", 0)):
        return True
    if "legible" not in attributes:
        return crowd
    legible = truth(attributes["legible"])
    if legible and crowd:
        problems.remark("legible, but a crowd: legible is believed", place)
    return not legible


def _outline(
    annotation: Mapping[str, Any], attributes: Mapping[str, Any], place: str, problems: Problems
) -> FloatArray:
    segmentation, box = annotation.get("segmentation"), annotation.get("bbox")
    if isinstance(segmentation, dict):
        problems.remark("a run-length mask: its outline is taken", place)
        return coco_mask(segmentation).astype(np.float32)
    degrees = number(attributes.get("rotation") or 0, "a rotation")
    polygons = _polygons(segmentation)
    if len(polygons) > 1:
        problems.remark("a word of several polygons: joined into one that covers them all", place)
        return joined([points(polygon) for polygon in polygons]).astype(np.float32)
    if polygons and not (degrees and box and _is_box(polygons[0], box)):
        return _finite(polygons[0])
    return _box(box, degrees, segmentation)


def _polygons(segmentation: Any) -> list[Any]:
    """Polygons of three or more points; a list of numbers or of pairs is one."""
    if not isinstance(segmentation, list) or not segmentation:
        return []
    if not all(isinstance(part, list) for part in segmentation) or all(_is_pair(part) for part in segmentation):
        segmentation = [segmentation]
    return [polygon for polygon in segmentation if len(polygon) >= 6 or (len(polygon) >= 3 and _is_pair(polygon[0]))]


def _is_pair(part: Any) -> bool:
    return isinstance(part, list) and len(part) == 2 and not isinstance(part[0], list)


def _finite(polygon: Any) -> FloatArray:
    """Points (K, 2) that may be infinite: these are reported as such."""
    try:
        flat = np.asarray(polygon, np.float64).reshape(-1, 2)
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise MalformedError(f"segmentation {shown(polygon)}") from None
    return points(polygon).astype(np.float32) if np.isfinite(flat).all() else flat.astype(np.float32)


def _is_box(polygon: Any, box: Any) -> bool:
    """Whether a polygon is nothing but the corners of the box."""
    corners = points(polygon)
    x, y, width, height = numbers(box, 4, "a box")
    low, high = corners.min(axis=0), corners.max(axis=0)
    return len(corners) == 4 and bool(np.allclose([*low, *high], [x, y, x + width, y + height], atol=0.51))


def _box(box: Any, degrees: float, segmentation: Any) -> FloatArray:
    try:
        x, y, width, height = numbers(box, 4, "a box")
    except MalformedError as error:
        raise MalformedError(f"{error}; segmentation {shown(segmentation)}") from None
    return rotated_box((x, y, width, height), degrees) if degrees else box_to_polygon((x, y, x + width, y + height))
