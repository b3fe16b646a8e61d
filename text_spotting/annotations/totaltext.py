"""Total-Text: polygons of curved words, as text files or as MATLAB files."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from text_spotting.annotations.checks import checked_word, find_picture, picture_size
from text_spotting.annotations.icdar import natural_key
from text_spotting.annotations.lines import read_text
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage, LabelledWord
from text_spotting.errors import UserError

OFFICIAL_PICTURES = {True: 1255, False: 300}
UNREADABLE = "#"
_NUMBERS = r"\[\[([^\]]*)\]\]"
_STRING = r"\[(?:u?(?P<q{0}>['\"])(?P<{0}>.*)(?P=q{0}))?\]"
_RECORD = re.compile(
    rf"x:\s*{_NUMBERS}\s*,\s*y:\s*{_NUMBERS}\s*,\s*ornt:\s*{_STRING.format('ornt')}\s*,"
    rf"\s*transcriptions:\s*{_STRING.format('text')}\s*$",
    re.DOTALL,
)
_Record = tuple[str, list[float], list[float], str]


@dataclass(frozen=True)
class TotalText:
    """``poly_gt_img1.txt`` or ``poly_gt_img1.mat`` for picture ``img1.jpg``.

    Attributes:
        root: folder that the others are relative to.
        is_train: which official part this is, to notice missing pictures; None for a set of one's own.
    """

    root: Path
    images_folder: str
    annotations_folder: str
    is_train: bool | None = None

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every picture that has an annotation file."""
        folder = self.root / self.annotations_folder
        files = [file for file in folder.glob("*gt_img*") if file.suffix in {".txt", ".mat"}]
        if not files:
            raise UserError(
                f"no files poly_gt_img*.txt or .mat in {folder}; check the root and the folders of the config"
            )
        if self.is_train is not None and len(files) != OFFICIAL_PICTURES[self.is_train]:
            found = f"{len(files)} of {OFFICIAL_PICTURES[self.is_train]} pictures are labelled"
            problems.add("not the whole official set", str(folder), found)
        for file in sorted(files, key=natural_key):
            path = find_picture(self.root / self.images_folder, re.sub(r"^.*gt_", "", file.stem))
            size = picture_size(path, str(file), problems)
            if size is not None:
                yield AnnotatedImage(path, *size, list(_words(file, size, problems)))


def _words(file: Path, size: tuple[int, int], problems: Problems) -> Iterator[LabelledWord]:
    records = _matlab_records(file) if file.suffix == ".mat" else _text_records(file, problems)
    for place, x, y, text in records:
        if len(x) != len(y):
            problems.add("not as many x as y: dropped", place, f"{len(x)} and {len(y)}")
            continue
        unreadable = text == UNREADABLE
        points = np.column_stack([x, y]) if x else ()
        word = checked_word(points, size, place, problems, text="" if unreadable else text, legible=not unreadable)
        if word is not None:
            yield word


def _text_records(file: Path, problems: Problems) -> Iterator[_Record]:
    """Place, x, y and transcription of each record of the text form; long records are wrapped over several lines."""
    content = read_text(file, problems).replace("\r\n", "\n")
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


def _matlab_records(file: Path) -> Iterator[_Record]:
    """The same from the MATLAB form: rows ``'x:', [[...]], 'y:', [[...]], transcription, orientation``."""
    from scipy.io import loadmat

    content = loadmat(str(file))
    rows = content.get("polygt", content.get("gt"))
    if rows is None:
        raise UserError(f"{file}: holds neither 'polygt' nor 'gt'; is this a Total-Text annotation?")
    for index, row in enumerate(rows):
        text = str(row[4].ravel()[0]) if row[4].size else ""
        yield f"{file}: row {index + 1}", row[1].ravel().tolist(), row[3].ravel().tolist(), text


def _floats(numbers: str) -> list[float]:
    return [float(value) for value in re.findall(r"-?\d+(?:\.\d+)?", numbers)]
