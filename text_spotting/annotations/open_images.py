"""TextOCR and HierText: words of OpenImages' images, each in one large JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from text_spotting.annotations.checks import Checked, Rejection, agreed_size, annotated, checked_word, word_of
from text_spotting.annotations.cocotext import mapping_of
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError
from text_spotting.files.json_files import load_object
from text_spotting.files.values import MalformedError, mapping, sequence, shown, text, truth
from text_spotting.image_files import find_named, is_file

UNREADABLE = "."
"""What TextOCR writes for a word that nobody can read."""


@dataclass(frozen=True)
class TextOCR:
    """``TextOCR_0.1_train.json`` (Singh et al. 2021): ``imgs``, ``anns`` and ``imgToAnns``.

    Attributes:
        root: folder that the others are relative to.
        annotation_path: the JSON file.
        images_folder: folder of the images; names in the file may begin with ``train/``.
    """

    root: Path
    annotation_path: str
    images_folder: str = ""

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image of the file."""
        file = self.root / self.annotation_path
        document = load_object(file)
        missing = [key for key in ("imgs", "anns", "imgToAnns") if key not in document]
        if missing:
            raise UserError(f"{file}: has no {' and no '.join(missing)}; is this TextOCR?")
        images, words, owners = (mapping_of(document, key, file) for key in ("imgs", "anns", "imgToAnns"))
        for key, record in images.items():
            place = f"{file}: imgs[{shown(key)}]"
            try:
                image = mapping(record)
                ids = [text(one) for one in sequence(owners.get(key))]
                path = _image(self.root / self.images_folder, text(image.get("file_name")) or f"{key}.jpg")
            except MalformedError as error:
                problems.add("not an image's record: skipped with its words", place, str(error))
                continue
            size = agreed_size(path, (image.get("width"), image.get("height")), place, problems)
            if size is not None:
                found = [_textocr_word(words.get(one), size, f"{file}: anns[{one}]", problems) for one in ids]
                yield from annotated(path, size, found, place, problems)


def _textocr_word(record: Any, size: tuple[int, int], place: str, problems: Problems) -> Checked:
    def make() -> Checked:
        entry = mapping(record)
        written = text(entry.get("utf8_string"))
        unreadable = written == UNREADABLE
        outline = entry.get("points")
        return checked_word(outline, size, place, problems, text="" if unreadable else written, legible=not unreadable)

    return word_of(make, place, problems)


@dataclass(frozen=True)
class HierText:
    """``train.jsonl`` (Long et al. 2022): one JSON of paragraphs, lines and words in spite of its name.

    Attributes:
        root: folder that the others are relative to.
        annotation_path: the JSON file.
        images_folder: folder of ``IMAGE_ID.jpg``.
    """

    root: Path
    annotation_path: str
    images_folder: str = ""

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image of the file."""
        file = self.root / self.annotation_path
        records = load_object(file).get("annotations")
        if not isinstance(records, list):
            raise UserError(f"{file}: has no list 'annotations'; is this HierText?")
        for index, record in enumerate(records):
            place = f"{file}: annotations[{index}]"
            try:
                image = mapping(record)
                words = list(_hiertext_words(image, place, problems))
                path = _image(self.root / self.images_folder, f"{text(image.get('image_id'))}.jpg")
            except MalformedError as error:
                problems.add("not an image's record: skipped with its words", place, str(error))
                continue
            stated = (image.get("image_width"), image.get("image_height"))
            size = agreed_size(path, stated, place, problems)
            if size is not None:
                found = [_hiertext_word(word, size, where, problems) for where, word in words]
                yield from annotated(path, size, found, place, problems)


def _hiertext_words(image: Mapping[str, Any], place: str, problems: Problems) -> Iterator[tuple[str, Any]]:
    """Every word with its place; a paragraph or line of which no word was read is one don't-care region."""
    for p, record in enumerate(sequence(image.get("paragraphs"))):
        paragraph = mapping(record)
        lines = sequence(paragraph.get("lines"))
        if not lines:
            yield f"{place}.paragraphs[{p}]", {**paragraph, "legible": False}
        for n, entry in enumerate(lines):
            line = mapping(entry)
            words = sequence(line.get("words"))
            if not words:
                yield f"{place}.paragraphs[{p}].lines[{n}]", {**line, "legible": False}
            for w, word in enumerate(words):
                yield f"{place}.paragraphs[{p}].lines[{n}].words[{w}]", word


def _hiertext_word(record: Any, size: tuple[int, int], place: str, problems: Problems) -> Checked:
    def make() -> Checked:
        entry = mapping(record)
        legible = truth(entry.get("legible", True))
        return checked_word(entry.get("vertices"), size, place, problems, text=text(entry.get("text")), legible=legible)

    return word_of(make, place, problems) if record is not None else Rejection.UNUSABLE


def _image(folder: Path, name: str) -> Path:
    bare = folder / name.rpartition("/")[2]
    named = find_named(folder, name)
    return bare if not is_file(named) and is_file(bare) else named
