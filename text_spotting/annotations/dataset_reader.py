"""Reading one "COCO with text" file; ``dataset_file`` describes the format."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from text_spotting.annotations.coco_records import CATEGORY, Categories, identity, read_word
from text_spotting.annotations.problems import ErrorsOnly, Problems
from text_spotting.annotations.records import AnnotatedImage, LabelledWord
from text_spotting.errors import UserError
from text_spotting.files.json_files import load_object
from text_spotting.files.values import MalformedError, shown, whole_number
from text_spotting.image_files import find_named, is_file

DATA_ROOT = "data_root"
"""Key under ``info`` for the folder, relative to the file's own, that its file names start from."""

IMAGES = "images"
"""Folder that is tried for images that are not where the file says."""


def read_dataset(
    ann_file: str | Path, data_root: str | Path | None = None, problems: Problems | None = None
) -> list[AnnotatedImage]:
    """Read one "COCO with text" file; images without annotations are kept, in the file's order.

    A word is ``ignore`` when its annotation is illegible, says ``ignore`` or, where it does not say ``legible``, is a
    crowd. Ids need not be contiguous. An image that is not below ``data_root`` is looked for beside the file itself.

    Args:
        data_root: folder that ``file_name`` is relative to; by default the folder of the annotation file.
        problems: collects annotations that had to be dropped; by default the first one is an error.

    Raises:
        UserError: if the file is missing, is not JSON, lacks a key, lists no image or lists one id twice.
    """
    return [image for image, _ in _read(Path(ann_file), data_root, ErrorsOnly() if problems is None else problems)]


def read_known(
    ann_file: str | Path, data_root: str | Path | None, problems: Problems, label: str = CATEGORY
) -> list[AnnotatedImage]:
    """The same, without the images that have annotations of which none could be used: they may hold text.

    Args:
        label: name of the category of words.

    Raises:
        UserError: see ``read_dataset``, or not one annotation of the file could be used.
    """
    images = []
    for image, dropped in _read(Path(ann_file), data_root, problems, label):
        if dropped and not image.words:
            problems.add("none of its shapes could be used: image left out", f"{ann_file}: {image.path.name}")
        else:
            images.append(image)
    if not images:
        raise UserError(
            f"{ann_file}: not one annotation could be used, so there is nothing to score or to train on: "
            f"{problems.most_common()}"
        )
    return images


def _read(
    ann_file: Path, data_root: str | Path | None, problems: Problems, label: str = CATEGORY
) -> list[tuple[AnnotatedImage, int]]:
    """Images, and how many annotations of each were dropped."""
    document = load_object(ann_file)
    categories = Categories.of(document, label)
    images = _index_images(document, ann_file, problems)
    words, dropped = _words_by_image(document, images.keys(), categories, ann_file, problems)
    roots = _roots(document, ann_file, data_root)
    read = []
    for key, image in images.items():
        place = f"{ann_file}: image {shown(key)}"
        try:
            read.append((_read_image(image, roots, words[key], ann_file, place), dropped[key]))
        except MalformedError as error:
            kind = "image skipped with its words"
            problems.add(kind, place, f"file_name, width or height has the wrong type ({error})")
    return _merged(read, ann_file, problems)


def _merged(
    read: Sequence[tuple[AnnotatedImage, int]], ann_file: Path, problems: Problems
) -> list[tuple[AnnotatedImage, int]]:
    """Entries that share an image's words between them are put together: words of one would be background in another.

    An image that is listed twice with the same words stays listed twice, as someone wanted to see it more often.
    """
    merged: list[tuple[AnnotatedImage, int]] = []
    first: dict[Path, int] = {}
    for image, dropped in read:
        index = first.setdefault(image.path, len(merged))
        if index == len(merged) or _same_words(merged[index][0], image):
            merged.append((image, dropped))
            continue
        before, lost = merged[index]
        problems.remark("image listed twice: its words are put together", f"{ann_file}: {image.path.name}")
        merged[index] = replace(before, words=[*before.words, *image.words]), lost + dropped
    return merged


def _same_words(one: AnnotatedImage, other: AnnotatedImage) -> bool:
    return [(word.text, word.polygon.tolist()) for word in one.words] == [
        (word.text, word.polygon.tolist()) for word in other.words
    ]


def _index_images(document: Mapping[str, Any], ann_file: Path, problems: Problems) -> dict[Any, Mapping[str, Any]]:
    images: dict[Any, Mapping[str, Any]] = {}
    for index, image in enumerate(_list_under(document, "images", ann_file)):
        place = f"{ann_file}: images[{index}]"
        try:
            key = identity(_required(image, "id", place))
        except MalformedError as error:
            problems.add("image without a usable id: skipped", place, str(error))
            continue
        if key in images:
            raise UserError(f"{place}: image id {shown(key)} is used twice; give every image its own id")
        images[key] = image
    if not images:
        raise UserError(f"{ann_file}: lists no image; check that it is the file you meant")
    return images


def _words_by_image(
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
            problems.add("annotation of no image: dropped", place, str(error))
            continue
        if key not in words:
            problems.add("annotation of an image that is not listed: dropped", place, f"image_id {shown(key)}")
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
    # CVAT and others put images into "images", beside the annotations or beside their folder.
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
