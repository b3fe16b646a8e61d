"""Results that are whole or not there at all, and runs that keep what they did when they are stopped."""

import glob
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from text_spotting.errors import UserError

_LEFT_OVER = 3600.0
"""Seconds after which a temporary file can only be what a killed process left."""


def write_whole(path: Path, content: str | bytes | Callable[[Path], object]) -> None:
    """Write a file in one piece: readers see the old file or the whole new one, even after a power cut.

    The content goes to a temporary neighbour, which is flushed to the disk and renamed; the folder is made if need be.
    Text is written in UTF-8; lone surrogates, which undecodable file names have, become JSON's ``\\udcff``.

    Args:
        content: the text, the bytes, or what writes them into the path that it is called with.

    Raises:
        UserError: the place cannot be written, or the disk is full; the old file is still there.
    """
    temporary = path.with_name(f".{path.name[:200]}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent, f".{glob.escape(path.name[:200])}.*.tmp", _LEFT_OVER)
        try:
            _fill(temporary, content)
            move_whole(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise UserError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from error


def _fill(temporary: Path, content: str | bytes | Callable[[Path], object]) -> None:
    data = content.encode(errors="backslashreplace") if isinstance(content, str) else content
    if not isinstance(data, bytes):
        data(temporary)
        return
    temporary.write_bytes(data)


def sweep(folder: Path, pattern: str, seconds: float = 0.0) -> None:
    """Remove temporary files that killed processes left, once they are ``seconds`` old."""
    for path in folder.glob(pattern):
        try:
            if time.time() - path.lstat().st_mtime >= seconds:
                path.unlink()
        except OSError:
            continue  # someone else was quicker, or it is not ours


def require_writable(path: Path, option: str) -> None:
    """Find out before the work starts that its result will have a place.

    Args:
        option: that names the path, for the message.

    Raises:
        UserError: no file can be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}", about=option) from error
    if path.is_dir():
        raise UserError(f"{path} is a folder; name a file in it", about=option)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UserError(f"cannot write {path}: permission denied", about=option)


def to_json(value: Any) -> str:
    """JSON on one line, readable in any script."""
    return json.dumps(value, ensure_ascii=False)


class JsonObjectWriter:
    """Writes ``{key: value, ...}`` entry by entry, and makes a whole JSON file of it at the end.

    Until then the entries lie in ``<name>.part`` beside the file, each on a line of its own: what a killed run had done
    can be read there. Leaving the ``with`` block, also by an error or a signal, makes the file whole. On a full disk
    the entries that fitted are kept.

    Raises:
        UserError: the place cannot be written, or the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.part = path.with_name(f"{path.name}.part")
        self.count = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.part.open("wb", buffering=0)
            self._file.write(b"{\n")
        except OSError as error:
            raise UserError(f"cannot write {path}: {error.strerror or error}") from error

    def __enter__(self) -> "JsonObjectWriter":
        return self

    def add(self, key: str, value: Any) -> None:
        """Append an entry and hand it to the system at once."""
        line = (",\n" if self.count else "") + f"{to_json(key)}: {to_json(value)}"
        data, start = memoryview(line.encode(errors="backslashreplace")), self._file.tell()
        try:
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            self._file.seek(start)
            self._file.truncate()
            raise UserError(
                f"cannot write {self.path}: {error.strerror or error}; it holds the {self.count} results before"
            ) from error
        self.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.write(b"\n}\n")
            _flush(self._file)
            self._file.close()
            _move(self.part, self.path)
        except OSError as trouble:
            raise UserError(
                f"cannot finish {self.path}: {trouble.strerror or trouble}; what was done is in {self.part}"
            ) from trouble


def move_whole(source: Path, target: Path) -> None:
    """Give a finished file its name, once it is on the disk."""
    with source.open("rb") as file:
        os.fsync(file.fileno())
    _move(source, target)


def _flush(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _move(source: Path, target: Path) -> None:
    source.replace(target)
    if os.name == "posix":
        # The rename itself is on the disk only when the folder is.
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        except OSError:
            pass  # some network file systems cannot; the rename stands all the same
        finally:
            os.close(folder)


def entries(document: Mapping[str, Any]) -> str:
    """A JSON object with an entry a line."""
    return "{\n" + ",\n".join(f"{to_json(key)}: {to_json(value)}" for key, value in document.items()) + "\n}\n"
