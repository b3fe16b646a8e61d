"""MSRA-TD500: rotated boxes around lines of text, without transcription."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from text_spotting.annotations.checks import Checked, annotated, checked_word, find_image, image_size
from text_spotting.annotations.lines import parse_lines, read_each
from text_spotting.annotations.outlines import rotated_box
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError
from text_spotting.files.reading import listing


@dataclass(frozen=True)
class MSRATD500:
    """``IMG_0059.gt`` beside ``IMG_0059.JPG`` holds lines ``index difficult x y width height angle``.

    The box is turned about its centre by ``angle`` radians, clockwise on the screen. Lines marked difficult are don't
    care, as the set's own protocol has it.

    Attributes:
        root: folder that ``folder`` is relative to.
        folder: ``train`` or ``test`` of the set.
    """

    root: Path
    folder: str

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image that has an annotation file."""
        folder = self.root / self.folder
        files = listing(folder, "*.gt")
        if not files:
            raise UserError(f"no annotation files (*.gt) in {folder}; check the root and the folder of the config")
        yield from read_each(files, lambda file: _read(file, folder, problems), problems)


def _read(file: Path, folder: Path, problems: Problems) -> Iterator[AnnotatedImage]:
    path = find_image(folder, file.stem, str(file), problems)
    size = image_size(path, str(file), problems)
    if size is not None:
        yield from annotated(path, size, _words(file, size, problems), str(file), problems)


def _words(file: Path, size: tuple[int, int], problems: Problems) -> Iterator[Checked]:
    for line in parse_lines(file, problems, numbers=7):
        corners = rotated_box(line.numbers[2:6], float(np.degrees(line.numbers[6])))
        yield checked_word(corners, size, line.place, problems, legible=line.numbers[1] == 0)
