"""CTW1500 (Liu et al. 2017): curved lines of text with 14 points, as XML or as text files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from text_spotting.annotations.checks import Checked, annotated, checked_word, find_image, image_size, word_of
from text_spotting.annotations.lines import numbered_lines, read_each
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError
from text_spotting.files.reading import listing
from text_spotting.files.values import MalformedError, points
from text_spotting.files.xml_files import LINE, parse_xml

_TEXT = ",####"
_OFFSETS = 32
"""Numbers of a line of the first release: a box, then 14 points relative to its top left corner."""


@dataclass(frozen=True)
class CTW1500:
    """``0001.xml`` or ``0001.txt`` for ``0001.jpg``.

    XML has ``image/box/{label, segs}``. Text files have ``x1,y1,...,x14,y14,####text``, or 32 numbers without text.

    Attributes:
        root: folder that the others are relative to.
    """

    root: Path
    images_folder: str
    annotations_folder: str

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image that has an annotation file."""
        folder = self.root / self.annotations_folder
        files = listing(folder, "*.xml", "*.txt")
        if not files:
            raise UserError(f"no annotation files (*.xml, *.txt) in {folder}; check the root and the folders")
        yield from read_each(files, lambda file: self._read(file, problems), problems)

    def _read(self, file: Path, problems: Problems) -> Iterator[AnnotatedImage]:
        stem = file.stem.removeprefix("gt_").removeprefix("gt-")
        path = find_image(self.root / self.images_folder, stem, str(file), problems)
        size = image_size(path, str(file), problems)
        if size is not None:
            read = _xml_words if file.suffix == ".xml" else _text_words
            yield from annotated(path, size, list(read(file, size, problems)), str(file), problems)


def _xml_words(file: Path, size: tuple[int, int], problems: Problems) -> Iterator[Checked]:
    for box in parse_xml(file).iter("box"):
        yield _xml_word(box, size, f"{file}:{box.get(LINE)}", problems)


def _xml_word(box: Element, size: tuple[int, int], place: str, problems: Problems) -> Checked:
    def make() -> Checked:
        outline = points((box.findtext("segs") or "").split(","))
        return checked_word(outline, size, place, problems, text=(box.findtext("label") or "").strip())

    return word_of(make, place, problems)


def _text_words(file: Path, size: tuple[int, int], problems: Problems) -> Iterator[Checked]:
    for place, line in numbered_lines(file, problems):
        yield _text_word(line, size, place, problems)


def _text_word(line: str, size: tuple[int, int], place: str, problems: Problems) -> Checked:
    def make() -> Checked:
        numbers, marked, written = line.partition(_TEXT)
        corners = points(numbers.rstrip(",").split(","))
        if not marked and len(corners) * 2 == _OFFSETS:
            corners = corners[2:] + corners[0]
        if len(corners) < 3:
            raise MalformedError("fewer than three points")
        return checked_word(np.asarray(corners), size, place, problems, text=written.strip())

    return word_of(make, place, problems)
