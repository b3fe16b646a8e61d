"""Images of single words and a list of what they say: IIIT5K, ICDAR word recognition, a folder of one's own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from text_spotting.annotations.checks import annotated, checked_word, find_image, image_size
from text_spotting.annotations.lines import numbered_lines, unquote
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError
from text_spotting.files.values import points
from text_spotting.geometry import box_to_polygon
from text_spotting.image_files import find_named, is_file
from text_spotting.words import FloatArray

MOST_SPLITS = 20
"""Blanks of a line that may lie within the image's name."""


@dataclass(frozen=True)
class WordCrops:
    """Every crop becomes an image that one word fills.

    Attributes:
        list_file: lines ``NAME TEXT``, ``NAME<tab>TEXT`` or ``NAME, "TEXT"``.
        images_folder: folder that the names are relative to.
        corners_file: lines ``NAME,x1,y1,...,x4,y4`` with the word's quad in its crop (ICDAR 2015, task 4.3).
    """

    root: Path
    list_file: str
    images_folder: str = ""
    corners_file: str = ""

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every crop."""
        corners = _read_corners(self.root / self.corners_file, problems) if self.corners_file else {}
        for place, path, text in _parse(self.root / self.list_file, self.root / self.images_folder, problems):
            size = image_size(path, place, problems)
            if size is not None:
                polygon = corners.get(path.stem, box_to_polygon((0, 0, *size)))
                word = checked_word(polygon, size, place, problems, text=text)
                yield from annotated(path, size, [word], place, problems)


def read_word_crops(
    list_file: str | Path, root: str | Path | None = None, problems: Problems | None = None
) -> list[tuple[Path, str]]:
    """Read a list of word crops as (image, text); images are not opened, and found under any image suffix.

    Args:
        list_file: lines ``NAME TEXT``, ``NAME<tab>TEXT`` or ``NAME, "TEXT"``, with or without BOM.
        root: folder that the names are relative to; by default the folder of the list.
        problems: collects bad lines and missing images; by default the first one is an error.

    Raises:
        UserError: if the list is missing or holds no crop.
    """
    list_file = Path(list_file)
    problems = Problems(strict=True) if problems is None else problems
    crops = []
    for place, path, text in _parse(list_file, Path(root) if root else list_file.parent, problems):
        if is_file(path):
            crops.append((path, text))
        else:
            problems.add("image missing: skipped with its words", place, str(path))
    if not crops:
        raise UserError(f'{list_file}: lists no word crop; expected lines such as: word_1.png, "TEXT"')
    return crops


def _read_corners(path: Path, problems: Problems) -> dict[str, FloatArray]:
    """Quads by the stem of the crop's name."""
    if not path.is_file():
        raise UserError(f"corners of word crops {path} do not exist")
    corners: dict[str, FloatArray] = {}
    for place, line in numbered_lines(path, problems):
        name, *numbers = line.split(",")
        try:
            quad = points(numbers, least=4).astype(np.float32).reshape(4, 2)
        except ValueError:
            problems.add("not an image name and eight numbers: the whole crop is taken", place, line[:80])
            continue
        corners[Path(name).stem] = quad
    return corners


def _parse(list_file: Path, root: Path, problems: Problems) -> Iterator[tuple[str, Path, str]]:
    if not list_file.is_file():
        raise UserError(f"list of word crops {list_file} does not exist")
    for place, line in numbered_lines(list_file, problems):
        splits = list(islice(_splits(line), MOST_SPLITS))
        if not splits:
            problems.add("not an image name and a text: dropped", place, line[:80])
            continue
        name, text = next((split for split in splits if is_file(find_named(root, split[0]))), splits[0])
        path = find_named(root, name)
        yield place, path if is_file(path) else find_image(path.parent, path.stem, place, problems), unquote(text)


def _splits(line: str) -> Iterator[tuple[str, str]]:
    """Ways to take a line for a name and a text, the likeliest first.

    A tab or quotes around the name leave no choice; else either may hold blanks and commas, and the first split whose
    image is there is right.
    """
    name, tab, text = line.partition("\t")
    if tab:
        yield unquote(name), text.strip()
        return
    quoted = re.match(r'"([^"]++)"(?:\s*+,\s*+|\s++)(.+)$', line)
    if quoted:
        yield quoted.group(1), quoted.group(2)
        return
    for gap in re.finditer(r"\s*+,\s*+|\s++", line):
        if gap.start() and gap.end() < len(line):
            yield line[: gap.start()], line[gap.end() :]
