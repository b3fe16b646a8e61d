"""The one parser for annotation text files: lines of numbers, perhaps some fields, and a transcription."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from text_spotting.annotations.problems import Problems

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_SEPARATOR = r"(?:\s*[,\t]\s*|\s+)"
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


def read_text(path: Path, problems: Problems) -> str:
    """Decode a text file: UTF-8 with or without BOM, UTF-16 with BOM, else Windows-1252, which is reported."""
    data = path.read_bytes()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.add("not UTF-8: read as Windows-1252", f"{path}:{line}")
        return data.decode("cp1252", errors="replace")


def numbered_lines(path: Path, problems: Problems) -> Iterator[tuple[str, str]]:
    """Yield (``file:line``, stripped line) for every line that is not blank."""
    for number, line in enumerate(re.split(r"\r\n|\n|\r", read_text(path, problems)), start=1):
        stripped = line.replace("\ufeff", "").strip()
        if stripped:
            yield f"{path}:{number}", stripped


def parse_lines(path: Path, problems: Problems, numbers: int, fields: int = 0) -> Iterator[Line]:
    """Yield the lines of a file that begin with ``numbers`` numbers, separated by commas, tabs or blanks.

    Lines with fewer numbers or fields are reported and dropped. A line may end after the fields: its ``rest`` is empty.
    """
    head = re.compile(f"({_SEPARATOR.join([_NUMBER] * numbers)})(?:{_SEPARATOR}|$)(.*)$")
    for place, line in numbered_lines(path, problems):
        match = head.match(line)
        if match is None:
            problems.add(f"does not begin with {numbers} numbers: dropped", place, line[:80])
            continue
        parts = match.group(2).split(",", fields) if match.group(2) else []
        if len(parts) < fields:
            problems.add("a field after the numbers is missing: dropped", place, line[:80])
            continue
        values = tuple(float(value) for value in re.findall(_NUMBER, match.group(1)))
        rest = parts[fields] if len(parts) > fields else ""
        yield Line(place, values, tuple(part.strip() for part in parts[:fields]), rest.strip())


def unquote(text: str) -> str:
    r"""Strip blanks and one pair of outer quotes; ``\"`` inside them becomes ``"``."""
    text = text.strip()
    if len(text) >= 2 and _QUOTES.get(text[0]) == text[-1]:
        return text[1:-1].replace('\\"', '"').strip()
    return text
