"""Writing a "COCO with text" file; ``dataset_file`` describes the format."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, SupportsFloat

from text_spotting.annotations.coco_records import CATEGORY
from text_spotting.annotations.dataset_reader import DATA_ROOT
from text_spotting.annotations.records import AnnotatedImage, LabelledWord, labelled
from text_spotting.files.writing import write_whole
from text_spotting.geometry import clip_to_image


def write_dataset(path: str | Path, images: Sequence[AnnotatedImage], data_root: str | Path | None = None) -> None:
    """Write a "COCO with text" file in one piece: readers see the old file or the whole new one.

    Args:
        data_root: folder that ``file_name`` shall be relative to; by default the folder of ``path``. Another one is
            noted in the file, so that it can be read without being told.
    """
    path = Path(path)
    root = path.parent if data_root is None else Path(data_root)
    annotations: list[dict[str, Any]] = []
    for image_id, image in enumerate(images):
        for word in image.words:
            annotations.append(_word_record(labelled(word), image, image_id, len(annotations)))
    elsewhere = root.absolute() != path.parent.absolute()
    document = {
        **({"info": {DATA_ROOT: _relative(root, path.parent)}} if elsewhere else {}),
        "type": "instances",
        "images": [_image_record(image, image_id, root) for image_id, image in enumerate(images)],
        "categories": [{"supercategory": "none", "name": CATEGORY, "id": 1}],
        "annotations": annotations,
    }
    write_whole(path, _one_record_a_line(document))


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


def _relative(path: Path, start: Path) -> str:
    return Path(os.path.relpath(path, start)).as_posix()


def _image_record(image: AnnotatedImage, image_id: int, root: Path) -> dict[str, Any]:
    return {"file_name": _relative(image.path, root), "height": image.height, "width": image.width, "id": image_id}


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
