"""The "COCO with text" annotation file: the one format that training, evaluation and the tools read.

It is COCO's instances file with one category, "text", and for every annotation
``attributes: {transcription, legible, language}``; older files call the key ``text``. datasets.md has an example.
"""

import glob
import json
import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, SupportsFloat

from text_spotting.annotations.checks import agreed_size
from text_spotting.annotations.coco_records import CATEGORY, Categories, identity, read_word
from text_spotting.annotations.problems import ErrorsOnly, Problems
from text_spotting.annotations.records import AnnotatedImage, LabelledWord, labelled
from text_spotting.errors import UserError
from text_spotting.files.json_files import load_object
from text_spotting.files.values import MalformedError, shown, whole_number
from text_spotting.files.writing import write_whole
from text_spotting.geometry import clip_to_image
from text_spotting.pictures import find_named, is_file

LOGGER = logging.getLogger(__name__)
DATA_ROOT = "data_root"
"""Key under ``info`` for the folder, relative to the file's own, that its file names start from."""

IMAGES = "images"
"""Folder that is tried for pictures that are not where the file says."""


def read_dataset(
    ann_file: str | Path, data_root: str | Path | None = None, problems: Problems | None = None
) -> list[AnnotatedImage]:
    """Read one "COCO with text" file; pictures without annotations are kept, in the file's order.

    A word is ``ignore`` when its annotation is illegible, says ``ignore`` or, where it does not say ``legible``, is a
    crowd. Ids need not be contiguous. A picture that is not below ``data_root`` is looked for beside the file itself.

    Args:
        data_root: folder that ``file_name`` is relative to; by default the folder of the annotation file.
        problems: collects annotations that had to be dropped; by default the first one is an error.

    Raises:
        UserError: if the file is missing, is not JSON, lacks a key, lists no picture or lists one id twice.
    """
    return [image for image, _ in _read(Path(ann_file), data_root, ErrorsOnly() if problems is None else problems)]


def read_known(
    ann_file: str | Path, data_root: str | Path | None, problems: Problems, label: str = CATEGORY
) -> list[AnnotatedImage]:
    """The same, without the pictures that have annotations of which none could be used: they may hold text.

    Args:
        label: name of the category of words.

    Raises:
        UserError: see ``read_dataset``, or not one annotation of the file could be used.
    """
    images = []
    for image, dropped in _read(Path(ann_file), data_root, problems, label):
        if dropped and not image.words:
            problems.add("none of its shapes could be used: picture left out", f"{ann_file}: {image.path.name}")
        else:
            images.append(image)
    if not images:
        raise UserError(
            f"{ann_file}: not one annotation could be used, so there is nothing to score or to train on: "
            f"{problems.most_common()}"
        )
    return images


def read_datasets(
    ann_files: str | Sequence[str | Path],
    data_roots: str | Sequence[str | Path],
    problems: Problems | None = None,
) -> list[AnnotatedImage]:
    """Read and join several annotation files, each with its own picture folder.

    Pictures that are missing, cannot be read or are not of the size that the file states are left out and reported.

    Args:
        ann_files: a list, or one comma-separated string; each item is a file or a glob pattern (``**`` recurses).
        data_roots: as many folders; a pattern that matches several files uses its folder for all of them.
        problems: collects what was left out or guessed; by default it is logged as a warning.

    Raises:
        UserError: if the lists differ in length, a pattern matches nothing, a file is bad or no picture is there.
    """
    patterns, roots = split_paths(ann_files), split_paths(data_roots)
    if len(patterns) != len(roots):
        raise UserError(
            f"{len(patterns)} annotation files ({', '.join(patterns)}) but {len(roots)} data roots "
            f"({', '.join(roots)}); give one data root for each annotation file"
        )
    collected = Problems() if problems is None else problems
    images: list[AnnotatedImage] = []
    for pattern, root in zip(patterns, roots, strict=True):
        for ann_file in expand_pattern(pattern):
            part = read_known(ann_file, root, collected)
            check_pictures_exist(part, ann_file, root)
            images += present(part, ann_file, collected)
    if not images:
        raise UserError(f"{', '.join(patterns)}: no picture is left to use: {collected.most_common()}")
    if problems is None and len(collected):
        LOGGER.warning("%s", collected.summary())
    return images


def check_pictures_exist(images: Sequence[AnnotatedImage], ann_file: str | Path, data_root: str | Path) -> None:
    """Raise a UserError that names the first picture when not one of them is there."""
    if images and not any(is_file(image.path) for image in images):
        raise UserError(
            f"{ann_file}: {len(images)} of {len(images)} pictures are missing, the first is {images[0].path}; "
            f"check that the data root ({data_root}) is the folder that the file names start from"
        )


def present(images: Sequence[AnnotatedImage], ann_file: Path, problems: Problems) -> list[AnnotatedImage]:
    """The pictures that are there and as large as the file says."""
    return [
        image
        for image in images
        if agreed_size(image.path, (image.width, image.height), f"{ann_file}: {image.path.name}", problems)
    ]


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


def _read(
    ann_file: Path, data_root: str | Path | None, problems: Problems, label: str = CATEGORY
) -> list[tuple[AnnotatedImage, int]]:
    """Pictures, and how many annotations of each were dropped."""
    document = load_object(ann_file)
    categories = Categories.of(document, label)
    images = _index_pictures(document, ann_file, problems)
    words, dropped = _words_by_picture(document, images.keys(), categories, ann_file, problems)
    roots = _roots(document, ann_file, data_root)
    read = []
    for key, image in images.items():
        place = f"{ann_file}: picture {shown(key)}"
        try:
            read.append((_read_image(image, roots, words[key], ann_file, place), dropped[key]))
        except MalformedError as error:
            kind = "picture skipped with its words"
            problems.add(kind, place, f"file_name, width or height has the wrong type ({error})")
    return _merged(read, ann_file, problems)


def _merged(
    read: Sequence[tuple[AnnotatedImage, int]], ann_file: Path, problems: Problems
) -> list[tuple[AnnotatedImage, int]]:
    """Entries that share a picture's words between them are put together: words of one would be background in another.

    A picture that is listed twice with the same words stays listed twice, as someone wanted to see it more often.
    """
    merged: list[tuple[AnnotatedImage, int]] = []
    first: dict[Path, int] = {}
    for image, dropped in read:
        index = first.setdefault(image.path, len(merged))
        if index == len(merged) or _same_words(merged[index][0], image):
            merged.append((image, dropped))
            continue
        before, lost = merged[index]
        problems.remark("picture listed twice: its words are put together", f"{ann_file}: {image.path.name}")
        merged[index] = replace(before, words=[*before.words, *image.words]), lost + dropped
    return merged


def _same_words(one: AnnotatedImage, other: AnnotatedImage) -> bool:
    return [(word.text, word.polygon.tolist()) for word in one.words] == [
        (word.text, word.polygon.tolist()) for word in other.words
    ]


def _index_pictures(document: Mapping[str, Any], ann_file: Path, problems: Problems) -> dict[Any, Mapping[str, Any]]:
    images: dict[Any, Mapping[str, Any]] = {}
    for index, image in enumerate(_list_under(document, "images", ann_file)):
        place = f"{ann_file}: images[{index}]"
        try:
            key = identity(_required(image, "id", place))
        except MalformedError as error:
            problems.add("picture without a usable id: skipped", place, str(error))
            continue
        if key in images:
            raise UserError(f"{place}: picture id {shown(key)} is used twice; give every picture its own id")
        images[key] = image
    if not images:
        raise UserError(f"{ann_file}: lists no picture; check that it is the file you meant")
    return images


def _words_by_picture(
    document: Mapping[str, Any],
    image_ids: Iterable[Any],
    categories: Categories,
    ann_file: Path,
    problems: Problems,
) -> tuple[dict[Any, list[LabelledWord]], Counter[Any]]:
    words: dict[Any, list[LabelledWord]] = {image_id: [] for image_id in image_ids}
    dropped: Counter[Any] = Counter()
    for index, annotation in enumerate(_list_under(document, "annotations", ann_file)):
        place = f"{ann_file}: annotations[{index}]"
        try:
            key = identity(_required(annotation, "image_id", place))
        except MalformedError as error:
            problems.add("annotation of no picture: dropped", place, str(error))
            continue
        if key not in words:
            problems.add("annotation of a picture that is not listed: dropped", place, f"image_id {shown(key)}")
            continue
        wanted = categories.accepts(annotation, place, problems)
        word = read_word(annotation, place, problems) if wanted else None
        if word is None:
            dropped[key] += 1
        else:
            words[key].append(word)
    return words, dropped


def _list_under(document: Mapping[str, Any], key: str, ann_file: Path) -> list[Mapping[str, Any]]:
    items = _required(document, key, str(ann_file))
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise UserError(f"{ann_file}: '{key}' must be a list of objects")
    return items


def _required(record: Mapping[str, Any], key: str, place: str) -> Any:
    if key not in record:
        raise UserError(f"{place}: has no '{key}'; is this a COCO-with-text file?")
    return record[key]


def _roots(document: Mapping[str, Any], ann_file: Path, data_root: str | Path | None) -> list[Path]:
    """Folders that file names may start from, the likeliest first."""
    info = document.get("info")
    noted = info.get(DATA_ROOT) if isinstance(info, dict) else None
    folder = ann_file.parent
    roots = [Path(data_root) if data_root else folder, folder, *([folder / noted] if isinstance(noted, str) else [])]
    # CVAT and others put pictures into "images", beside the annotations or beside their folder.
    return [*roots, *(root / IMAGES for root in roots), folder.parent / IMAGES]


def _read_image(
    image: Mapping[str, Any], roots: Sequence[Path], words: Sequence[LabelledWord], ann_file: Path, place: str
) -> AnnotatedImage:
    name, width, height = (_required(image, key, place) for key in ("file_name", "width", "height"))
    if not isinstance(name, str) or not name:
        raise MalformedError(f"expected a file name, found {shown(name)}")
    candidates = [find_named(root, name) for root in roots]
    path = next((candidate for candidate in candidates if is_file(candidate)), candidates[0])
    return AnnotatedImage(path, whole_number(width), whole_number(height), words)


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


def split_paths(items: str | Sequence[str | Path]) -> list[str]:
    """Paths of a list, or of one comma-separated string; a path that holds commas itself and exists is one path."""
    if isinstance(items, str):
        items = [items] if "," in items and Path(items).exists() else items.split(",")
    return [str(item).strip() if isinstance(item, str) else str(item) for item in items]


def expand_pattern(pattern: str) -> list[Path]:
    path = Path(pattern).expanduser()
    if path.is_file():
        return [path]
    matches = sorted(Path(match) for match in glob.glob(str(path), recursive=True))  # noqa: PTH207 - absolute patterns
    files = [match for match in matches if match.is_file()]
    if not files:
        raise UserError(f"no annotation file matches {pattern!r}; check the path (is a shell variable in it unset?)")
    return files
