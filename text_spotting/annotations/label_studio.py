"""Label Studio: tasks with regions in per cent of the image, and texts that belong to them by their id."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from text_spotting.annotations.checks import Checked, annotated, checked_word, image_size, word_of
from text_spotting.annotations.outlines import ellipse
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError
from text_spotting.files.json_files import load_json
from text_spotting.files.values import MalformedError, mapping, number, points, sequence, text
from text_spotting.files.writing import write_whole
from text_spotting.image_files import find_named, is_file
from text_spotting.words import DONT_CARE

_UPLOAD = re.compile(r"^[0-9a-f]{8}-")
"""What Label Studio puts before the names of uploaded files."""
ILLEGIBLE = ("illegible", "don't care", "dont care", DONT_CARE)


@dataclass(frozen=True)
class LabelStudio:
    """JSON export (not JSON-MIN) of a task with rectangles, polygons or ellipses and a text area for each region.

    A word is don't care when its label is ``illegible`` or its text ``###``. Of several annotations of a task the
    first that was not cancelled is taken, else its prediction.

    Attributes:
        root: folder that the others are relative to.
        annotation_path: the JSON file.
        images_folder: folder of the images, which are found by their bare names.
    """

    root: Path
    annotation_path: str
    images_folder: str = ""

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield the image of every task that somebody annotated."""
        file = self.root / self.annotation_path
        tasks = load_json(file)
        if not isinstance(tasks, list):
            raise UserError(f"{file}: expected a list of tasks; export the project as JSON")
        for index, task in enumerate(tasks):
            place = f"{file}: task [{index}]"
            try:
                yield from self._read_task(mapping(task, "a task"), place, problems)
            except MalformedError as error:
                problems.add("not a task: skipped", place, str(error))

    def _read_task(self, task: Mapping[str, Any], place: str, problems: Problems) -> Iterator[AnnotatedImage]:
        regions = _regions(task, place, problems)
        if regions is None:
            problems.add("nobody annotated the task: skipped", place)
            return
        path = self._image(mapping(task.get("data"), "a task's data"))
        size = image_size(path, place, problems)
        if size is not None:
            words = [_word(parts, size, f"{place} {key}", problems) for key, parts in regions.items()]
            yield from annotated(path, size, words, place, problems)

    def _image(self, data: Mapping[str, Any]) -> Path:
        values = [data[key] for key in ("image", "ocr", "img", "captioning") if key in data] or list(data.values())
        source = next((value for value in values if isinstance(value, str)), "")
        name = unquote(source.partition("?d=")[2] or source)
        folder = self.root / self.images_folder
        bare = name.replace("\\", "/").rpartition("/")[2]
        candidates = [find_named(folder, name.lstrip("/")), folder / bare, folder / _UPLOAD.sub("", bare)]
        return next((path for path in candidates if is_file(path)), folder / bare)


def _regions(task: Mapping[str, Any], place: str, problems: Problems) -> dict[str, list[Mapping[str, Any]]] | None:
    """Results of the annotation that counts, by the region that they belong to."""
    given = [mapping(one) for one in sequence(task.get("annotations"))]
    whole = [one for one in given if not one.get("was_cancelled")] or [
        mapping(one) for one in sequence(task.get("predictions"))
    ]
    if not whole:
        return None
    if len(whole) > 1:
        problems.remark("several annotations of a task: the first is taken", place, f"{len(whole)}")
    regions: dict[str, list[Mapping[str, Any]]] = {}
    for index, result in enumerate(sequence(whole[0].get("result"))):
        entry = mapping(result)
        regions.setdefault(text(entry.get("id")) or f"[{index}]", []).append(entry)
    return regions


def _word(parts: Sequence[Mapping[str, Any]], size: tuple[int, int], place: str, problems: Problems) -> Checked:
    def make() -> Checked:
        values = [mapping(part.get("value")) for part in parts]
        written = [text(one) for value in values for one in _as_list(value.get("text"))]
        labels = [
            text(one) for value in values for key in value if key.endswith("labels") for one in _as_list(value[key])
        ]
        unreadable = any(label.strip().lower() in ILLEGIBLE for label in labels)
        return checked_word(
            _outline(values, size), size, place, problems, text=" ".join(written).strip(), legible=not unreadable
        )

    return word_of(make, place, problems)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _outline(values: Sequence[Mapping[str, Any]], size: tuple[int, int]) -> NDArray[Any]:
    scale = np.array(size) / 100
    for value in values:
        if "points" in value:
            return points(value["points"]) * scale
        if "radiusX" in value:
            cx, cy, rx, ry = (number(value.get(key)) for key in ("x", "y", "radiusX", "radiusY"))
            radii = rx * scale[0], ry * scale[1]
            return ellipse((cx * scale[0], cy * scale[1]), radii, number(value.get("rotation", 0)))
        if "width" in value:
            return _turned(value, scale)
    raise MalformedError("a region without rectangle, polygon or ellipse")


def _turned(value: Mapping[str, Any], scale: NDArray[Any]) -> NDArray[Any]:
    """A rectangle turned clockwise about its top left corner, which is where Label Studio turns it."""
    x, y, width, height = (number(value.get(key)) for key in ("x", "y", "width", "height"))
    angle = np.radians(number(value.get("rotation") or 0))
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    sides = np.array([[0, 0], [width, 0], [width, height], [0, height]]) * scale
    return np.asarray(sides @ matrix + np.array([x, y]) * scale)


def write_label_studio(path: Path, images: Sequence[AnnotatedImage], names: Sequence[str]) -> None:
    """Write tasks for import: the words are predictions, which people correct; polygons named ``poly`` on ``image``."""
    from text_spotting.files.writing import to_json

    tasks = []
    for image, name in zip(images, names, strict=True):
        size = {"original_width": image.width, "original_height": image.height}
        result = []
        for index, word in enumerate(image.words):
            corners = (word.polygon / np.array([image.width, image.height]) * 100).round(4).tolist()
            shared = {"id": f"w{index}", "to_name": "image", "image_rotation": 0, **size}
            label = ILLEGIBLE[0] if word.ignore else "text"
            shape = {"points": corners, "closed": True, "polygonlabels": [label]}
            result.append({**shared, "from_name": "poly", "type": "polygonlabels", "value": shape})
            if word.text:
                value = {"points": corners, "closed": True, "text": [word.text]}
                result.append({**shared, "from_name": "transcription", "type": "textarea", "value": value})
        tasks.append({"data": {"image": name}, "predictions": [{"model_version": "text-spotting", "result": result}]})
    write_whole(path, "[\n" + ",\n".join(map(to_json, tasks)) + "\n]\n")
