"""Files written whole or not at all, also when the power fails or the process is killed."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from text_spotting.errors import UserError

_LEFT_OVER = 3600.0
"""Seconds after which a temporary file can only be what a killed process left."""


def write_whole(path: Path, content: bytes | Callable[[Path], object]) -> None:
    """Write beside the target, flush to the disk, then move into place; the folder is made if need be.

    Readers meet the old file or the whole new one, never a part, and neither a power cut nor a full disk changes that.

    Args:
        content: the bytes, or what writes them into the path that it is called with.

    Raises:
        UserError: the place cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent, f".{path.name}.*.tmp", _LEFT_OVER)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        os.close(handle)
        temporary = Path(name)
        try:
            temporary.chmod(0o666 & ~_umask())
            _fill(temporary, content)
            flush(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        flush(path.parent)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error


def _fill(temporary: Path, content: bytes | Callable[[Path], object]) -> None:
    if isinstance(content, bytes):
        temporary.write_bytes(content)
    else:
        content(temporary)


def flush(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:  # Windows opens no folders, and needs none flushed
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path, pattern: str, seconds: float = 0.0) -> None:
    """Remove temporary files that killed processes left, once they are ``seconds`` old."""
    for path in folder.glob(pattern):
        try:
            if time.time() - path.stat().st_mtime >= seconds:
                path.unlink()
        except OSError:
            continue  # someone else was quicker, or it is not ours


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
