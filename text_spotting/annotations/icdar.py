"""ICDAR 2013 and 2015: one text file an image, one word a line. Other sets in the same layout are read the same way.

Formats: ICDAR Robust Reading Competitions 2013 (challenge 2, focused scene text) and 2015 (challenge 4, incidental).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from text_spotting.annotations.checks import Checked, annotated, checked_word, find_image, image_size
from text_spotting.annotations.lines import Line, decoded, parse_lines, read_each, unquote
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError
from text_spotting.files.reading import listing, natural_key, split_lines
from text_spotting.files.values import NUMBER
from text_spotting.geometry import box_to_polygon
from text_spotting.image_files import is_image

_CHARACTER = re.compile(r"\s*+(?:\S++\s++){5}" + rf"({NUMBER})\s++" * 4 + r'"(.*)"\s*+$')
OFFICIAL_IMAGES = {("2013", True): 229, ("2013", False): 233, ("2015", True): 1000, ("2015", False): 500}


@dataclass(frozen=True)
class ICDAR2015:
    """Lines ``x1,y1,x2,y2,x3,y3,x4,y4,text``; image ``img_1.jpg`` has ``gt_img_1.txt``. Quotes belong to the text.

    Attributes:
        root: folder that the others are relative to.
        is_train: which official part this is, to notice missing images; None for a set of one's own.
    """

    root: Path
    images_folder: str
    annotations_folder: str
    is_train: bool | None = None

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image that has an annotation file."""
        files = annotation_files(self.root / self.annotations_folder)
        _check_count("2015", self.is_train, len(files), self.root / self.images_folder, problems)
        folder = self.root / self.images_folder
        yield from read_each(
            files, lambda file: read_quads(file, folder, file.stem.removeprefix("gt_"), problems), problems
        )
        _report_unlabelled(self.root / self.images_folder, files, "gt_", problems)


@dataclass(frozen=True)
class PlainQuads:
    """Lines ``x1,y1,...,x4,y4`` without transcription, perhaps with one; image ``NAME.jpg`` has ``NAME.txt``."""

    root: Path
    images_folder: str
    annotations_folder: str

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image that has an annotation file."""
        files = annotation_files(self.root / self.annotations_folder)
        folder = self.root / self.images_folder
        yield from read_each(files, lambda file: read_quads(file, folder, file.stem, problems), problems)
        _report_unlabelled(self.root / self.images_folder, files, "", problems)


@dataclass(frozen=True)
class ICDAR2013:
    """Axis-aligned boxes ``x1 y1 x2 y2 "text"``, separated by blanks (training part) or commas (test part).

    Attributes:
        character_annotations_folder: folder of ``NAME_GT.txt`` with one character a line; empty to leave them out.
            Where the characters spell another word than the word file, they are believed and the case is reported.
        is_train: which official part this is, to notice missing images; None for a set of one's own.
    """

    root: Path
    images_folder: str
    annotations_folder: str
    character_annotations_folder: str = ""
    is_train: bool | None = True

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image that has an annotation file."""
        images_folder = self.root / self.images_folder
        files = annotation_files(self.root / self.annotations_folder)
        _check_count("2013", self.is_train, len(files), images_folder, problems)
        yield from read_each(files, lambda file: self._read_image(file, problems), problems)
        _report_unlabelled(images_folder, files, "gt_", problems)

    def _read_image(self, file: Path, problems: Problems) -> Iterator[AnnotatedImage]:
        path = find_image(self.root / self.images_folder, file.stem.removeprefix("gt_"), str(file), problems)
        size = image_size(path, str(file), problems)
        if size is not None:
            yield from annotated(path, size, self._read_words(file, path.stem, size, problems), str(file), problems)

    def _read_words(self, file: Path, stem: str, size: tuple[int, int], problems: Problems) -> list[Checked]:
        lines = list(parse_lines(file, problems, numbers=4))
        characters = self._read_characters(stem, len(lines), problems)
        words: list[Checked] = []
        for line, chars in zip(lines, characters, strict=True):
            written = unquote(line.rest)
            text = "".join(char["char"] for char in chars) or written
            if text != written:
                problems.add("characters spell another word: believed", line.place, f"{written!r} became {text!r}")
            attributes = {"chars": chars} if chars else {}
            polygon = box_to_polygon(line.numbers)
            words.append(checked_word(polygon, size, line.place, problems, text=text, attributes=attributes))
        return words

    def _read_characters(self, stem: str, word_count: int, problems: Problems) -> list[list[dict[str, Any]]]:
        """Characters of each word; empty lists where the file is absent or has another number of words."""
        nothing: list[list[dict[str, Any]]] = [[] for _ in range(word_count)]
        if not self.character_annotations_folder:
            return nothing
        file = self.root / self.character_annotations_folder / f"{stem}_GT.txt"
        words = read_character_file(file, problems) if file.is_file() else []
        if len(words) != word_count:
            problems.add("character file does not match: left out", str(file), f"{len(words)} words, not {word_count}")
            return nothing
        return words


def read_quads(file: Path, images_folder: Path, stem: str, problems: Problems) -> Iterator[AnnotatedImage]:
    """Yield the image of one file of quads, or nothing when the image is missing."""
    path = find_image(images_folder, stem, str(file), problems)
    size = image_size(path, str(file), problems)
    if size is not None:
        words = (_quad_word(line, size, problems) for line in parse_lines(file, problems, numbers=8))
        yield from annotated(path, size, words, str(file), problems)


def annotation_files(folder: Path) -> list[Path]:
    """The text files of a folder in natural order: 2 before 10.

    Raises:
        UserError: if there are none.
    """
    files = listing(folder, "*.txt")
    if not files:
        raise UserError(f"no annotation files (*.txt) in {folder}; check the root and the folder names of the config")
    return files


def read_character_file(file: Path, problems: Problems) -> list[list[dict[str, Any]]]:
    """Read an ICDAR 2013 task 2 file: ``R G B cx cy x1 y1 x2 y2 "c"`` a character, blank lines between the words.

    Lines that begin with ``#`` are characters that nobody can read, and are passed over.
    """
    words: list[list[dict[str, Any]]] = [[]]
    for number, line in split_lines(decoded(file, problems)):
        match = _CHARACTER.match(line)
        if line.startswith("#"):
            continue
        if match:
            words[-1].append(_character(match.group(5), *(float(value) for value in match.groups()[:4])))
        elif not line.strip():
            words.append([])
        else:
            problems.add("not a character: dropped", f"{file}:{number}", line[:80])
    return [word for word in words if word]


def _character(char: str, x1: float, y1: float, x2: float, y2: float) -> dict[str, Any]:
    outline = [x1, y1, x2, y1, x2, y2, x1, y2]
    return {"char": char, "bbox": [x1, y1, x2 - x1, y2 - y1], "segmentation": [outline]}


def _quad_word(line: Line, size: tuple[int, int], problems: Problems) -> Checked:
    return checked_word(line.numbers, size, line.place, problems, text=line.rest)


def _check_count(year: str, is_train: bool | None, found: int, folder: Path, problems: Problems) -> None:
    expected = found if is_train is None else OFFICIAL_IMAGES[year, is_train]
    if found != expected:
        problems.add("not the whole official set", str(folder), f"{found} of {expected} images are labelled")


def _report_unlabelled(folder: Path, files: list[Path], prefix: str, problems: Problems) -> None:
    labelled = {file.stem.removeprefix(prefix) for file in files}
    for path in sorted(folder.iterdir(), key=natural_key) if folder.is_dir() else ():
        if is_image(path) and path.stem not in labelled:
            problems.add("image without annotation file: skipped", str(path))
