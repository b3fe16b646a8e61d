"""COCO-Text v2: outlines and transcriptions for the images of COCO's train2014."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from text_spotting.annotations.checks import Checked, Rejection, annotated, checked_word, image_size
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError
from text_spotting.files.json_files import load_object
from text_spotting.files.values import MalformedError, mapping, numbers, points, sequence, shown, text
from text_spotting.geometry import box_to_polygon, min_area_rect
from text_spotting.image_files import find_named
from text_spotting.words import FloatArray


@dataclass(frozen=True)
class COCOText:
    """``cocotext.v2.json`` with the images in ``train2014`` beside it.

    An outline becomes its smallest rotated rectangle. Images without any text are kept: they are negatives.

    Attributes:
        root: folder that ``path`` is relative to.
        path: the JSON file.
        sets: which of its parts to read: ``train``, ``val``, ``test``.
    """

    root: Path
    path: str
    sets: Sequence[str] = ("train",)

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image of the sets."""
        file = self.root / self.path
        document = load_object(file)
        missing = [key for key in ("imgs", "anns", "imgToAnns") if key not in document]
        if missing:
            raise UserError(f"{file}: has no {' and no '.join(missing)}; is this COCO-Text v2 (cocotext.v2.json)?")
        parts = {key: mapping_of(document, key, file) for key in ("imgs", "anns", "imgToAnns")}
        for image_id, image in parts["imgs"].items():
            place = f"{file}: imgs[{shown(image_id)}]"
            try:
                yield from self._read_image(mapping(image), parts, image_id, file, problems)
            except MalformedError as error:
                problems.add("not an image's record: skipped with its words", place, str(error))

    def _read_image(
        self,
        image: Mapping[str, Any],
        parts: Mapping[str, Mapping[str, Any]],
        key: str,
        file: Path,
        problems: Problems,
    ) -> Iterator[AnnotatedImage]:
        if image.get("set") not in self.sets:
            return
        place = f"{file}: imgs[{shown(key)}]"
        path = find_named(file.parent / "train2014", text(image.get("file_name")))
        size = image_size(path, place, problems)
        if size is not None:
            ids = [text(word_id) for word_id in sequence(parts["imgToAnns"].get(key))]
            words = (_word(parts["anns"].get(word_id), size, f"{file}: anns[{word_id}]", problems) for word_id in ids)
            yield from annotated(path, size, words, place, problems)


def mapping_of(document: Mapping[str, Any], key: str, file: Path) -> Mapping[str, Any]:
    """The object under a key.

    Raises:
        UserError: it is none.
    """
    try:
        return mapping(document[key])
    except MalformedError as error:
        raise UserError(f"{file}: '{key}': {error}") from error


def _word(record: Any, size: tuple[int, int], place: str, problems: Problems) -> Checked:
    try:
        entry = mapping(record)
        return checked_word(
            _outline(entry),
            size,
            place,
            problems,
            text=text(entry.get("utf8_string")),
            legible=entry.get("legibility") == "legible",
            language=text(entry.get("language")),
        )
    except MalformedError as error:
        problems.add("not a word: dropped", place, str(error))
        return Rejection.UNUSABLE


def _outline(record: Mapping[str, Any]) -> FloatArray:
    mask = sequence(record.get("mask"))
    if len(mask) >= 6 and len(mask) % 2 == 0:
        return min_area_rect(points(mask))
    x, y, width, height = numbers(record.get("bbox"), 4, "an outline or a box")
    return box_to_polygon((x, y, x + width, y + height))
