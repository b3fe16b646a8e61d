"""The one parser for annotation text files: lines of numbers, perhaps some fields, and a transcription."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError
from text_spotting.files.reading import read_text, split_lines
from text_spotting.files.values import NUMBER

SEPARATOR = r"(?:\s*+,\s*+|\s++)"
_QUOTES = {'"': '"', "'": "'", "“": "”", "«": "»"}


@dataclass(frozen=True, slots=True)
class Line:
    """A parsed line.

    Attributes:
        place: ``file:line``.
        fields: what stands between the numbers and the rest, such as the language.
        rest: everything after that, without outer blanks; commas and quotes in it are its own.
    """

    place: str
    numbers: tuple[float, ...]
    fields: tuple[str, ...]
    rest: str


def decoded(path: Path, problems: Problems) -> str:
    """Text of a file in UTF-8, UTF-16 or, which is reported, Windows-1252.

    Raises:
        UserError: it cannot be read.
    """
    return read_text(path, "annotation file", on_guess=lambda place, kind: problems.add(kind, place))


def numbered_lines(path: Path, problems: Problems) -> Iterator[tuple[str, str]]:
    """Yield (``file:line``, stripped line) for every line that is not blank."""
    for number, line in split_lines(decoded(path, problems)):
        stripped = line.replace("\ufeff", "").strip()
        if stripped:
            yield f"{path}:{number}", stripped


def parse_lines(path: Path, problems: Problems, numbers: int, fields: int = 0) -> Iterator[Line]:
    """Yield the lines of a file that begin with ``numbers`` numbers, separated by commas, tabs or blanks.

    Lines with fewer numbers or fields are reported and dropped. A line may end after the fields: its ``rest`` is empty.
    """
    head = re.compile(f"({SEPARATOR.join([NUMBER] * numbers)})(?:{SEPARATOR}|$)(.*)$")
    for place, line in numbered_lines(path, problems):
        match = head.match(line)
        if match is None:
            problems.add(f"does not begin with {numbers} numbers: dropped", place, line[:80])
            continue
        parts = match.group(2).split(",", fields) if match.group(2) else []
        if len(parts) < fields:
            problems.add("a field after the numbers is missing: dropped", place, line[:80])
            continue
        values = tuple(float(value) for value in re.findall(NUMBER, match.group(1)))
        rest = parts[fields] if len(parts) > fields else ""
        yield Line(place, values, tuple(part.strip() for part in parts[:fields]), rest.strip())


def read_each(
    files: Iterable[Path], read: Callable[[Path], Iterator[AnnotatedImage]], problems: Problems
) -> Iterator[AnnotatedImage]:
    """Yield the images of every annotation file; one that cannot be read is reported and costs no other."""
    for file in files:
        try:
            yield from read(file)
        except UserError as error:
            if problems.strict:
                raise
            problems.add_unreadable("annotation file cannot be read: skipped", error)


def unquote(text: str) -> str:
    r"""Strip blanks and one pair of outer quotes; ``\"`` inside them becomes ``"``."""
    text = text.strip()
    if len(text) >= 2 and _QUOTES.get(text[0]) == text[-1]:
        return text[1:-1].replace('\\"', '"').strip()
    return text
