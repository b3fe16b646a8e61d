"""Sets with a text file of outlines an image: Uber-Text and oriented boxes of YOLO."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from text_spotting.annotations.checks import Checked, annotated, checked_word, find_image, image_size, word_of
from text_spotting.annotations.icdar import annotation_files
from text_spotting.annotations.lines import SEPARATOR, numbered_lines, parse_lines, read_each
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.files.values import points
from text_spotting.files.writing import write_whole
from text_spotting.geometry import min_area_rect


@dataclass(frozen=True)
class UberText:
    """``truth_img_1.txt`` for ``img_1.jpg`` (Zhang et al. 2017): ``x1 y1 x2 y2 ...<tab>text<tab>class``.

    Texts of asterisks alone are don't care.

    Attributes:
        root: folder that the others are relative to.
    """

    root: Path
    images_folder: str
    annotations_folder: str

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image that has an annotation file."""
        files = annotation_files(self.root / self.annotations_folder)
        yield from read_each(files, lambda file: self._read(file, problems), problems)

    def _read(self, file: Path, problems: Problems) -> Iterator[AnnotatedImage]:
        stem = file.stem.removeprefix("truth_")
        path = find_image(self.root / self.images_folder, stem, str(file), problems)
        size = image_size(path, str(file), problems)
        if size is not None:
            words = [_uber_word(line, size, place, problems) for place, line in numbered_lines(file, problems)]
            yield from annotated(path, size, words, str(file), problems)


def _uber_word(line: str, size: tuple[int, int], place: str, problems: Problems) -> Checked:
    def make() -> Checked:
        numbers, _, rest = line.partition("\t")
        outline = points(re.split(SEPARATOR, numbers.strip()))
        written = rest.partition("\t")[0].strip()
        unreadable = bool(written) and not written.strip("*")
        return checked_word(outline, size, place, problems, text="" if unreadable else written, legible=not unreadable)

    return word_of(make, place, problems)


@dataclass(frozen=True)
class YoloObb:
    """``NAME.txt`` for ``NAME.jpg``: ``class x1 y1 ... x4 y4``, in shares of the image, and perhaps a text.

    Attributes:
        root: folder that the others are relative to.
        text_class: the class of words; None takes all.
    """

    root: Path
    images_folder: str
    labels_folder: str
    text_class: int | None = None

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image that has a label file; an empty one says that there is no text."""
        files = [file for file in annotation_files(self.root / self.labels_folder) if file.name != "classes.txt"]
        yield from read_each(files, lambda file: self._read(file, problems), problems)

    def _read(self, file: Path, problems: Problems) -> Iterator[AnnotatedImage]:
        path = find_image(self.root / self.images_folder, file.stem, str(file), problems)
        size = image_size(path, str(file), problems)
        if size is None:
            return
        words = []
        for line in parse_lines(file, problems, numbers=9):
            if self.text_class is not None and line.numbers[0] != self.text_class:
                problems.remark("class other than text: dropped", line.place, f"class {line.numbers[0]:.0f}")
                continue
            outline = np.array(line.numbers[1:]).reshape(4, 2) * np.array(size)
            words.append(checked_word(outline, size, line.place, problems, text=line.rest))
        yield from annotated(path, size, words, str(file), problems)


def write_yolo_obb(folder: Path, images: Sequence[AnnotatedImage], names: Sequence[str]) -> None:
    """Write ``labels/NAME.txt`` and ``classes.txt``; the text follows the numbers; don't-care words are left out."""
    write_whole(folder / "classes.txt", "text\n")
    for image, name in zip(images, names, strict=True):
        size = np.array([image.width, image.height])
        lines = []
        for word in (word for word in image.words if not word.ignore):
            corners = word.polygon if len(word.polygon) == 4 else min_area_rect(word.polygon)
            numbers = " ".join(f"{value:.6f}" for value in (corners / size).ravel())
            lines.append(f"0 {numbers} {' '.join(word.text.split())}".rstrip() + "\n")
        write_whole(folder / "labels" / Path(name).with_suffix(".txt"), "".join(lines))
