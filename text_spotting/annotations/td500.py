"""MSRA-TD500: rotated boxes around lines of text, without transcription."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from text_spotting.annotations.checks import checked_word, find_picture, picture_size
from text_spotting.annotations.icdar import natural_key
from text_spotting.annotations.lines import parse_lines
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage, LabelledWord
from text_spotting.errors import UserError
from text_spotting.geometry import box_to_polygon
from text_spotting.words import FloatArray


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
        """Yield every picture that has an annotation file."""
        folder = self.root / self.folder
        files = sorted(folder.glob("*.gt"), key=natural_key)
        if not files:
            raise UserError(f"no annotation files (*.gt) in {folder}; check the root and the folder of the config")
        for file in files:
            path = find_picture(folder, file.stem)
            size = picture_size(path, str(file), problems)
            if size is not None:
                yield AnnotatedImage(path, *size, list(_words(file, size, problems)))


def _words(file: Path, size: tuple[int, int], problems: Problems) -> Iterator[LabelledWord]:
    for line in parse_lines(file, problems, numbers=7):
        corners = rotated_box(line.numbers[2:6], float(np.degrees(line.numbers[6])))
        word = checked_word(corners, size, line.place, problems, legible=line.numbers[1] == 0)
        if word is not None:
            yield word


def rotated_box(box: Sequence[float], degrees: float) -> FloatArray:
    """Corners (4, 2), from the box's own top left, of a box x, y, width, height turned clockwise about its centre."""
    x, y, width, height = box
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    corners = box_to_polygon((-width / 2, -height / 2, width / 2, height / 2)) @ np.array([[cos, sin], [-sin, cos]])
    return np.asarray(corners + np.array([x + width / 2, y + height / 2]), dtype=np.float32)
