"""COCO-Text v2: outlines and transcriptions for the pictures of COCO's train2014."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from text_spotting.annotations.checks import checked_word, picture_size
from text_spotting.annotations.json_files import load_object
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage, LabelledWord
from text_spotting.errors import UserError
from text_spotting.geometry import box_to_polygon, min_area_rect
from text_spotting.words import FloatArray


@dataclass(frozen=True)
class COCOText:
    """``cocotext.v2.json`` with the pictures in ``train2014`` beside it.

    An outline becomes its smallest rotated rectangle. Pictures without any text are kept: they are negatives.

    Attributes:
        root: folder that ``path`` is relative to.
        path: the JSON file.
        sets: which of its parts to read: ``train``, ``val``, ``test``.
    """

    root: Path
    path: str
    sets: Sequence[str] = ("train",)

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every picture of the sets."""
        file = self.root / self.path
        document = load_object(file)
        missing = [key for key in ("imgs", "anns", "imgToAnns") if key not in document]
        if missing:
            raise UserError(f"{file}: has no {' and no '.join(missing)}; is this COCO-Text v2 (cocotext.v2.json)?")
        annotations, of_picture = document["anns"], document["imgToAnns"]
        for picture_id, picture in document["imgs"].items():
            if picture["set"] not in self.sets:
                continue
            path = file.parent / "train2014" / picture["file_name"]
            size = picture_size(path, f"{file}: imgs[{picture_id}]", problems)
            if size is None:
                continue
            ids = [str(word_id) for word_id in of_picture.get(picture_id, ())]
            words = (_word(annotations[word_id], size, f"{file}: anns[{word_id}]", problems) for word_id in ids)
            yield AnnotatedImage(path, *size, [word for word in words if word is not None])


def _word(record: Mapping[str, Any], size: tuple[int, int], place: str, problems: Problems) -> LabelledWord | None:
    return checked_word(
        _outline(record),
        size,
        place,
        problems,
        text=str(record.get("utf8_string") or ""),
        legible=record.get("legibility") == "legible",
        language=str(record.get("language") or ""),
    )


def _outline(record: Mapping[str, Any]) -> FloatArray | tuple[()]:
    mask, box = record.get("mask") or (), record.get("bbox")
    if len(mask) >= 6 and len(mask) % 2 == 0:
        return min_area_rect(mask)
    if not box:
        return ()
    x, y, width, height = box
    return box_to_polygon((x, y, x + width, y + height))
