"""Words written in the forms of other tools and competitions."""

import io
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from text_spotting.annotations.cvat import write_cvat
from text_spotting.annotations.label_studio import write_label_studio
from text_spotting.annotations.ppocr import write_ppocr
from text_spotting.annotations.quad_lists import write_yolo_obb
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.files.writing import to_json, write_whole
from text_spotting.geometry import min_area_rect
from text_spotting.words import DONT_CARE, Word

Writer = Callable[[Path, Sequence[AnnotatedImage], Sequence[str]], None]
"""Writes images, which are called by the names given, to a file or folder."""


def names_from(images: Sequence[AnnotatedImage], start: Path | None = None) -> list[str]:
    """Names relative to a folder, by default the innermost one that holds all images, with forward slashes."""
    common = start or Path(os.path.commonpath([image.path.absolute().parent for image in images]))
    return [Path(os.path.relpath(image.path.absolute(), common)).as_posix() for image in images]


def write_labelme(folder: Path, images: Sequence[AnnotatedImage], names: Sequence[str]) -> None:
    """Write ``NAME.json`` for LabelMe: the label is the word; don't-care words carry the flag ``illegible``."""
    for image, name in zip(images, names, strict=True):
        shapes = [
            {
                "label": word.text or DONT_CARE,
                "points": word.polygon.round(2).tolist(),
                "group_id": None,
                "description": "",
                "shape_type": "polygon",
                "flags": {"illegible": True} if word.ignore else {},
            }
            for word in image.words
        ]
        target = folder / Path(name).with_suffix(".json")
        document: dict[str, Any] = {
            "version": "5.5.0",
            "flags": {},
            "shapes": shapes,
            "imagePath": Path(os.path.relpath(image.path.absolute(), target.parent.absolute())).as_posix(),
            "imageData": None,
            "imageHeight": image.height,
            "imageWidth": image.width,
        }
        write_whole(target, to_json(document) + "\n")


def write_icdar(path: Path, images: Sequence[AnnotatedImage], names: Sequence[str], *, texts: bool) -> None:
    """Write a submission to ICDAR 2015, challenge 4: a zip of ``res_NAME.txt`` with ``x1,y1,...,x4,y4[,text]``.

    Args:
        texts: with texts it is for task 4 (end to end), without for task 1 (localisation). Don't-care words are left
            out, and so are words without text from task 4.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for image, name in zip(images, names, strict=True):
            words = [word for word in image.words if not word.ignore and (word.text or not texts)]
            lines = [_icdar_line(word, texts) for word in words]
            # A fixed date makes equal submissions equal files.
            entry = zipfile.ZipInfo(f"res_{Path(name).stem}.txt", (2015, 1, 1, 0, 0, 0))
            archive.writestr(entry, "".join(lines).encode(errors="backslashreplace"))
    write_whole(path, packed.getvalue())


def _icdar_line(word: Word, texts: bool) -> str:
    corners = word.polygon if len(word.polygon) == 4 else min_area_rect(word.polygon)
    numbers = ",".join(str(round(float(value))) for value in corners.ravel())
    return f"{numbers},{' '.join(word.text.split())}\n" if texts else f"{numbers}\n"


def _cvat(path: Path, images: Sequence[AnnotatedImage], names: Sequence[str]) -> None:
    write_cvat(path, images)


WRITERS: Mapping[str, Writer] = {
    "cvat": _cvat,
    "icdar-task1": partial(write_icdar, texts=False),
    "icdar-task4": partial(write_icdar, texts=True),
    "label-studio": write_label_studio,
    "labelme": write_labelme,
    "ppocr": write_ppocr,
    "yolo-obb": write_yolo_obb,
}
"""What writes a file or folder of each format, by the format's name."""
