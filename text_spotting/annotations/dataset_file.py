"""The "COCO with text" annotation file: the one format that training, evaluation and the tools read.

It is COCO's instances file with one category, "text", and for every annotation
``attributes: {transcription, legible, language}``; older files call the key ``text``. datasets.md has an example.

One file is read in ``dataset_reader`` and written in ``dataset_writer``; several are joined here.
"""

import glob
import logging
from collections.abc import Sequence
from pathlib import Path

from text_spotting.annotations.checks import agreed_size
from text_spotting.annotations.dataset_reader import read_dataset, read_known
from text_spotting.annotations.dataset_writer import write_dataset
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError
from text_spotting.image_files import is_file

__all__ = [
    "check_images_exist",
    "expand_pattern",
    "present",
    "read_dataset",
    "read_datasets",
    "read_known",
    "split_paths",
    "write_dataset",
]

LOGGER = logging.getLogger(__name__)


def read_datasets(
    ann_files: str | Sequence[str | Path],
    data_roots: str | Sequence[str | Path],
    problems: Problems | None = None,
) -> list[AnnotatedImage]:
    """Read and join several annotation files, each with its own image folder.

    Images that are missing, cannot be read or are not of the size that the file states are left out and reported.

    Args:
        ann_files: a list, or one comma-separated string; each item is a file or a glob pattern (``**`` recurses).
        data_roots: as many folders; a pattern that matches several files uses its folder for all of them.
        problems: collects what was left out or guessed; by default it is logged as a warning.

    Raises:
        UserError: if the lists differ in length, a pattern matches nothing, a file is bad or no image is there.
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
            check_images_exist(part, ann_file, root)
            images += present(part, ann_file, collected)
    if not images:
        raise UserError(f"{', '.join(patterns)}: no image is left to use: {collected.most_common()}")
    if problems is None and len(collected):
        LOGGER.warning("%s", collected.summary())
    return images


def check_images_exist(images: Sequence[AnnotatedImage], ann_file: str | Path, data_root: str | Path) -> None:
    """Raise a UserError that names the first image when not one of them is there."""
    if images and not any(is_file(image.path) for image in images):
        raise UserError(
            f"{ann_file}: {len(images)} of {len(images)} images are missing, the first is {images[0].path}; "
            f"check that the data root ({data_root}) is the folder that the file names start from"
        )


def present(images: Sequence[AnnotatedImage], ann_file: Path, problems: Problems) -> list[AnnotatedImage]:
    """The images that are there and as large as the file says."""
    return [
        image
        for image in images
        if agreed_size(image.path, (image.width, image.height), f"{ann_file}: {image.path.name}", problems)
    ]


def split_paths(items: str | Sequence[str | Path]) -> list[str]:
    """Paths of a list, or of one comma-separated string; a path that holds commas itself and exists is one path."""
    if isinstance(items, str):
        items = [items] if "," in items and Path(items).exists() else items.split(",")
    return [str(item).strip() if isinstance(item, str) else str(item) for item in items]


def expand_pattern(pattern: str) -> list[Path]:
    """The file of that name, or all that a pattern with ``*`` and ``?`` fits, sorted.

    Raises:
        UserError: there is none.
    """
    path = Path(pattern).expanduser()
    if path.is_file():
        return [path]
    matches = sorted(Path(match) for match in glob.glob(str(path), recursive=True))  # noqa: PTH207 - absolute patterns
    files = [match for match in matches if match.is_file()]
    if not files:
        raise UserError(f"no annotation file matches {pattern!r}; check the path (is a shell variable in it unset?)")
    return files
