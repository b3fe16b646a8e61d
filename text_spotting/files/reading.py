"""Bytes and text of a file, or one line that says why not."""

import codecs
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from text_spotting.errors import UserError

Guess = Callable[[str, str], None]
"""Told of a place and of what was assumed there."""


def read_bytes(path: Path, what: str = "file") -> bytes:
    """Read a file whole.

    Args:
        what: what the file is to the user ("annotation file"), for the message.

    Raises:
        UserError: it is missing, a folder, or cannot be read.
    """
    try:
        if path.is_dir():
            raise UserError(f"{what} {path} is a folder; name a file in it")
        if not path.is_file():
            raise UserError(f"{what} {path} does not exist")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise UserError(f"cannot read {what} {path}: {getattr(error, 'strerror', None) or error}") from error


def read_text(path: Path, what: str = "file", on_guess: Guess | None = None) -> str:
    """Decode a text file: UTF-8 with or without BOM, or UTF-16 with BOM.

    Args:
        on_guess: told when a file in no Unicode encoding is taken for Windows-1252; without it, that is an error.

    Raises:
        UserError: it cannot be read or decoded.
    """
    data = read_bytes(path, what)
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        if on_guess is None:
            raise UserError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
        if wide:
            on_guess(str(path), "broken UTF-16: what cannot be decoded is replaced")
            return data.decode("utf-16", errors="replace")
        line = data.count(b"\n", 0, error.start) + 1
        on_guess(f"{path}:{line}", "not UTF-8: read as Windows-1252")
        return data.decode("cp1252", errors="replace")


def read_word_list(path: Path) -> list[str]:
    """Return the words of a text file, one a line, without outer blanks; blank lines are left out.

    Raises:
        UserError: see ``read_text``, or it holds no word.
    """
    words = [line.strip() for line in read_text(path, "word list").splitlines()]
    if not any(words):
        raise UserError(f"word list {path}: holds no word; expected one a line")
    return [word for word in words if word]


def split_lines(content: str) -> Iterator[tuple[int, str]]:
    """Yield (number from 1, line) as editors count them, whatever the line ending."""
    yield from enumerate(re.split(r"\r\n|\n|\r", content), start=1)


def listing(folder: Path, *patterns: str) -> list[Path]:
    """Files of a folder that match one of the patterns (``**/`` recurses), in natural order: 2 before 10.

    Files and folders whose names begin with a dot are left out: they are other programs' notes (``._img_1.txt``).
    """
    found = {file for pattern in patterns for file in folder.glob(pattern) if not hidden(file, folder)}
    return sorted((file for file in found if file.is_file()), key=natural_key)


def hidden(path: Path, folder: Path) -> bool:
    """Whether a path below ``folder`` has a part that begins with a dot."""
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def natural_key(path: Path) -> tuple[tuple[int, int | str], ...]:
    """Sort key by which numbers in paths count as numbers."""
    parts = re.split(r"([0-9]{1,18})", path.as_posix())
    return tuple((0, int(part)) if part.isdecimal() and part.isascii() else (1, part) for part in parts)
