"""Total-Text: polygons of curved words, as text files or as MATLAB files."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from text_spotting.annotations.checks import Checked, Rejection, annotated, checked_word, find_image, image_size
from text_spotting.annotations.lines import decoded, read_each
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError
from text_spotting.files.matlab_files import load_matlab
from text_spotting.files.reading import listing
from text_spotting.files.values import NUMBER, MalformedError, number, shown

OFFICIAL_IMAGES = {True: 1255, False: 300}
UNREADABLE = "#"
_NUMBERS = r"\[\[([^\]]*+)\]\]"
_RECORD = re.compile(
    rf"x:\s*+{_NUMBERS}\s*+,\s*+y:\s*+{_NUMBERS}\s*+,\s*+ornt:\s*+\[[^\]]*+\]\s*+,"
    r"\s*+transcriptions:\s*+\[(?:u?+(?P<quote>['\"])(?P<text>.*)(?P=quote))?\]\s*+$",
    re.DOTALL,
)
_Record = tuple[str, list[float], list[float], str]


@dataclass(frozen=True)
class TotalText:
    """``poly_gt_img1.txt`` or ``poly_gt_img1.mat`` for image ``img1.jpg``.

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
        folder = self.root / self.annotations_folder
        files = [file for file in listing(folder, "*gt_img*") if file.suffix.lower() in {".txt", ".mat"}]
        if not files:
            raise UserError(
                f"no files poly_gt_img*.txt or .mat in {folder}; check the root and the folders of the config"
            )
        if self.is_train is not None and len(files) != OFFICIAL_IMAGES[self.is_train]:
            found = f"{len(files)} of {OFFICIAL_IMAGES[self.is_train]} images are labelled"
            problems.add("not the whole official set", str(folder), found)
        yield from read_each(files, lambda file: self._read(file, problems), problems)

    def _read(self, file: Path, problems: Problems) -> Iterator[AnnotatedImage]:
        stem = re.sub(r"^.*gt_", "", file.stem)
        path = find_image(self.root / self.images_folder, stem, str(file), problems)
        size = image_size(path, str(file), problems)
        if size is not None:
            yield from annotated(path, size, _words(file, size, problems), str(file), problems)


def _words(file: Path, size: tuple[int, int], problems: Problems) -> Iterator[Checked]:
    matlab = file.suffix.lower() == ".mat"
    for place, x, y, text in _matlab_records(file, problems) if matlab else _text_records(file, problems):
        if len(x) != len(y):
            problems.add("not as many x as y: dropped", place, f"{len(x)} and {len(y)}")
            yield Rejection.UNUSABLE
            continue
        unreadable = text == UNREADABLE
        points = list(zip(x, y, strict=True))
        yield checked_word(points, size, place, problems, text="" if unreadable else text, legible=not unreadable)


def _text_records(file: Path, problems: Problems) -> Iterator[_Record]:
    """Place, x, y and transcription of each record of the text form; long records are wrapped over several lines."""
    content = decoded(file, problems).replace("\r\n", "\n")
    starts = [match.start() for match in re.finditer(r"^[ \t]*x:", content, re.MULTILINE)]
    if content.strip() and content[: starts[0] if starts else len(content)].strip():
        problems.add("not a Total-Text record: dropped", f"{file}:1", content.strip()[:80])
    for start, end in itertools.pairwise([*starts, len(content)]):
        place, record = f"{file}:{content.count(chr(10), 0, start) + 1}", content[start:end].strip()
        match = _RECORD.match(record)
        if match is None:
            problems.add("not a Total-Text record: dropped", place, record[:80])
            continue
        yield place, _floats(match.group(1)), _floats(match.group(2)), match.group("text") or ""


def _matlab_records(file: Path, problems: Problems) -> Iterator[_Record]:
    """The same from the MATLAB form: rows ``'x:', [[...]], 'y:', [[...]], transcription, orientation``."""
    content = load_matlab(file)
    rows = content.get("polygt", content.get("gt"))
    if not isinstance(rows, list):
        raise UserError(f"{file}: holds neither 'polygt' nor 'gt'; is this a Total-Text annotation?")
    for index, row in enumerate(rows):
        place = f"{file}: row {index + 1}"
        try:
            x, y, text = _flat(row[1]), _flat(row[3]), _flat(row[4])
            yield place, [number(value) for value in x], [number(value) for value in y], str(text[0]) if text else ""
        except (MalformedError, LookupError, TypeError) as error:
            problems.add("not a Total-Text record: dropped", place, f"{shown(row)}: {error}")


def _flat(value: Any) -> list[Any]:
    """The items of nested lists, in order."""
    return [item for part in value for item in _flat(part)] if isinstance(value, list) else [value]


def _floats(numbers: str) -> list[float]:
    return [float(value) for value in re.findall(NUMBER, numbers)]
