"""Writing results so that nothing half-written is left and nothing is lost after long work."""

import os
from pathlib import Path

from text_spotting.errors import UserError


def write_atomically(path: Path, text: str) -> None:
    """Write UTF-8 text to a temporary neighbour, then rename it; the folder is made if need be.

    Raises:
        UserError: the place cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error


def require_writable(path: Path, flag: str) -> None:
    """Find out before the work starts that its result will have a place.

    Raises:
        UserError: no file can be written there; the message names the flag.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{flag}: cannot write {path}: {error.strerror or error}") from error
    if path.is_dir():
        raise UserError(f"{flag}: {path} is a folder; name a file in it")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UserError(f"{flag}: cannot write {path}: permission denied")
