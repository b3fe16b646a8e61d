"""The "COCO with text" annotation file: the one format that training, evaluation and the tools read.

It is COCO's instances file with one category, "text", and for every annotation
``attributes: {transcription, legible, language}``; older files call the key ``text``. datasets.md has an example.
"""

import glob
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, SupportsFloat

import numpy as np

from text_spotting.annotations.json_files import load_object
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage, LabelledWord, labelled
from text_spotting.errors import UserError
from text_spotting.geometry import box_to_polygon, clip_to_image
from text_spotting.words import FloatArray

CATEGORY = "text"
_KNOWN_ATTRIBUTES = {"transcription", "legible", "language", "confidence"}


def read_dataset(
    ann_file: str | Path, data_root: str | Path | None = None, problems: Problems | None = None
) -> list[AnnotatedImage]:
    """Read one "COCO with text" file; pictures without annotations are kept, in the file's order.

    A word is ``ignore`` when its annotation is illegible, a crowd, or says ``ignore``. Ids need not be contiguous.

    Args:
        data_root: folder that ``file_name`` is relative to; by default the folder of the annotation file.
        problems: collects annotations that had to be dropped; by default the first one is an error.

    Raises:
        UserError: if the file is missing, is not JSON, lacks a key, lists no picture or lists one id twice.
    """
    ann_file = Path(ann_file)
    problems = Problems(strict=True) if problems is None else problems
    document = load_object(ann_file)
    images = _index_pictures(document, ann_file)
    words = _words_by_picture(document, images.keys(), ann_file, problems)
    root = Path(data_root) if data_root else ann_file.parent
    return [_read_image(image, root, words[image_id], ann_file) for image_id, image in images.items()]


def read_datasets(
    ann_files: str | Sequence[str | Path], data_roots: str | Sequence[str | Path]
) -> list[AnnotatedImage]:
    """Read and join several annotation files, each with its own picture folder.

    Args:
        ann_files: a list, or one comma-separated string; each item is a file or a glob pattern (``**`` recurses).
        data_roots: as many folders; a pattern that matches several files uses its folder for all of them.

    Raises:
        UserError: if the lists differ in length, a pattern matches nothing, a file is bad or a picture is missing.
    """
    patterns, roots = _split(ann_files), _split(data_roots)
    if len(patterns) != len(roots):
        raise UserError(
            f"{len(patterns)} annotation files ({', '.join(patterns)}) but {len(roots)} data roots "
            f"({', '.join(roots)}); give one data root for each annotation file"
        )
    images: list[AnnotatedImage] = []
    for pattern, root in zip(patterns, roots, strict=True):
        for ann_file in _expand(pattern):
            part = read_dataset(ann_file, root)
            check_pictures_exist(part, ann_file, root)
            images += part
    return images


def check_pictures_exist(images: Sequence[AnnotatedImage], ann_file: str | Path, data_root: str | Path) -> None:
    """Raise a UserError that names the first missing picture and how many there are."""
    missing = [image.path for image in images if not image.path.is_file()]
    if missing:
        raise UserError(
            f"{ann_file}: {len(missing)} of {len(images)} pictures are missing, the first is {missing[0]}; "
            f"check that the data root ({data_root}) is the folder that the file names start from"
        )


def write_dataset(path: str | Path, images: Sequence[AnnotatedImage], data_root: str | Path | None = None) -> None:
    """Write a "COCO with text" file in one piece: readers see the old file or the whole new one.

    Args:
        data_root: folder that ``file_name`` shall be relative to; by default the folder of ``path``.
    """
    path = Path(path)
    root = path.parent if data_root is None else Path(data_root)
    annotations: list[dict[str, Any]] = []
    for image_id, image in enumerate(images):
        for word in image.words:
            annotations.append(_word_record(labelled(word), image, image_id, len(annotations)))
    document = {
        "type": "instances",
        "images": [_image_record(image, image_id, root) for image_id, image in enumerate(images)],
        "categories": [{"supercategory": "none", "name": CATEGORY, "id": 1}],
        "annotations": annotations,
    }
    write_text_atomically(path, _one_record_a_line(document))


def _one_record_a_line(document: Mapping[str, Any]) -> str:
    """JSON that stays small, yet shows in a diff which word changed."""
    parts = []
    for key, value in document.items():
        if isinstance(value, list):
            lines = ",\n".join(json.dumps(item, ensure_ascii=False) for item in value)
            parts.append(f'"{key}": [\n{lines}\n]')
        else:
            parts.append(f'"{key}": {json.dumps(value)}')
    return "{" + ",\n".join(parts) + "}\n"


def write_text_atomically(path: Path, text: str) -> None:
    """Write UTF-8 text to a temporary neighbour, then rename it; the folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _index_pictures(document: Mapping[str, Any], ann_file: Path) -> dict[Any, Mapping[str, Any]]:
    images: dict[Any, Mapping[str, Any]] = {}
    for index, image in enumerate(_list_under(document, "images", ann_file)):
        place = f"{ann_file}: images[{index}]"
        image_id = _required(image, "id", place)
        if image_id in images:
            raise UserError(f"{place}: picture id {image_id} is used twice; give every picture its own id")
        images[image_id] = image
    if not images:
        raise UserError(f"{ann_file}: lists no picture; check that it is the file you meant")
    return images


def _words_by_picture(
    document: Mapping[str, Any], image_ids: Iterable[Any], ann_file: Path, problems: Problems
) -> dict[Any, list[LabelledWord]]:
    words: dict[Any, list[LabelledWord]] = {image_id: [] for image_id in image_ids}
    categories = _text_categories(document)
    for index, annotation in enumerate(_list_under(document, "annotations", ann_file)):
        place = f"{ann_file}: annotations[{index}]"
        if categories and annotation.get("category_id") not in categories:
            continue
        image_id = _required(annotation, "image_id", place)
        if image_id not in words:
            problems.add("annotation of a picture that is not listed: dropped", place, f"image_id {image_id}")
            continue
        word = _read_word(annotation, place, problems)
        if word is not None:
            words[image_id].append(word)
    return words


def _list_under(document: Mapping[str, Any], key: str, ann_file: Path) -> list[Mapping[str, Any]]:
    items = _required(document, key, str(ann_file))
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise UserError(f"{ann_file}: '{key}' must be a list of objects")
    return items


def _required(record: Mapping[str, Any], key: str, place: str) -> Any:
    if key not in record:
        raise UserError(f"{place}: has no '{key}'; is this a COCO-with-text file?")
    return record[key]


def _text_categories(document: Mapping[str, Any]) -> set[Any]:
    """Ids of the text category; empty, meaning any, in a file that has no category of that name."""
    return {item.get("id") for item in document.get("categories") or [] if item.get("name") == CATEGORY}


def _read_image(image: Mapping[str, Any], root: Path, words: Sequence[LabelledWord], ann_file: Path) -> AnnotatedImage:
    place = f"{ann_file}: picture {image['id']}"
    name, width, height = (_required(image, key, place) for key in ("file_name", "width", "height"))
    try:
        return AnnotatedImage(root / name, int(width), int(height), words)
    except (TypeError, ValueError) as error:
        raise UserError(f"{place}: file_name, width or height has the wrong type ({error})") from error


def _read_word(annotation: Mapping[str, Any], place: str, problems: Problems) -> LabelledWord | None:
    attributes = annotation.get("text", annotation.get("attributes")) or {}
    if isinstance(attributes, str):
        attributes = {"transcription": attributes}
    polygon = _read_polygon(annotation, place, problems)
    if polygon is None:
        return None
    legible = truth(attributes.get("legible", True))
    return LabelledWord(
        polygon,
        text=str(attributes.get("transcription") or ""),
        score=float(attributes.get("confidence", 1.0)),
        ignore=not legible or truth(annotation.get("iscrowd", 0)) or truth(annotation.get("ignore", 0)),
        language=str(attributes.get("language") or ""),
        attributes={key: value for key, value in attributes.items() if key not in _KNOWN_ATTRIBUTES},
    )


def _read_polygon(annotation: Mapping[str, Any], place: str, problems: Problems) -> FloatArray | None:
    """The first polygon of the segmentation, else the box."""
    segmentation, box = annotation.get("segmentation"), annotation.get("bbox")
    try:
        if isinstance(segmentation, list) and segmentation and len(segmentation[0]) >= 6:
            polygon: FloatArray = np.asarray(segmentation[0], dtype=np.float32).reshape(-1, 2)
        else:
            x, y, width, height = np.asarray(box, dtype=np.float32)
            polygon = box_to_polygon((x, y, x + width, y + height))
    except (TypeError, ValueError):
        problems.add("neither a polygon nor a box: dropped", place, f"segmentation {segmentation}, bbox {box}"[:120])
        return None
    if not np.isfinite(polygon).all():
        problems.add("coordinates that are not finite: dropped", place)
        return None
    return polygon


def truth(value: Any) -> bool:
    """0, 1, booleans, and the words that annotation tools write for them."""
    if isinstance(value, str):
        return value.strip().lower() in {"1", "true", "yes", "legible"}
    return bool(value)


def _image_record(image: AnnotatedImage, image_id: int, root: Path) -> dict[str, Any]:
    name = Path(os.path.relpath(image.path, root)).as_posix()
    return {"file_name": name, "height": image.height, "width": image.width, "id": image_id}


def _word_record(word: LabelledWord, image: AnnotatedImage, image_id: int, word_id: int) -> dict[str, Any]:
    x1, y1, x2, y2 = word.box
    (left, top), *_, (right, bottom) = clip_to_image([(x1, y1), (x2, y2)], image.width, image.height)
    attributes: dict[str, Any] = {
        "transcription": word.text,
        "legible": int(word.legible),
        "language": word.language,
        **word.attributes,
    }
    if word.score != 1:
        attributes["confidence"] = round(float(word.score), 4)
    return {
        "bbox": [_number(value) for value in (left, top, right - left, bottom - top)],
        "segmentation": [[_number(value) for value in word.polygon.ravel()]],
        "attributes": attributes,
        "ignore": 0,
        "id": word_id,
        "image_id": image_id,
        "area": _number((x2 - x1) * (y2 - y1)),
        "iscrowd": int(word.ignore),
        "category_id": 1,
    }


def _number(value: SupportsFloat) -> int | float:
    """Hundredths of a pixel are enough, and whole numbers stay whole."""
    rounded = round(float(value), 2)
    return int(rounded) if rounded.is_integer() else rounded


def _split(items: str | Sequence[str | Path]) -> list[str]:
    parts = items.split(",") if isinstance(items, str) else [str(item) for item in items]
    return [part.strip() for part in parts]


def _expand(pattern: str) -> list[Path]:
    path = Path(pattern).expanduser()
    if path.is_file():
        return [path]
    matches = sorted(Path(match) for match in glob.glob(str(path), recursive=True))  # noqa: PTH207 - absolute patterns
    files = [match for match in matches if match.is_file()]
    if not files:
        raise UserError(f"no annotation file matches {pattern!r}; check the path (is a shell variable in it unset?)")
    return files
