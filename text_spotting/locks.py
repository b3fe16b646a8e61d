"""One process at a time: locks that end with their holder, however it ends."""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

_PATIENCE = 0.2
"""Seconds between looks at a lock that is waited for."""


class HeldError(Exception):
    """Another process holds the lock; the text says which."""


@contextmanager
def lock(path: Path, wait: float = 0.0) -> Iterator[None]:
    """Hold ``path`` while the block runs.

    The kernel lets go of the lock when its holder ends, so one left by a killed process is free. Child processes do
    not inherit it. Systems without POSIX record locks (Windows) are not protected.

    Args:
        wait: seconds to wait for another holder.

    Raises:
        HeldError: another process has it.
        OSError: the file cannot be made.
    """
    file = _open(path, wait)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        file.close()


def _open(path: Path, wait: float) -> IO[str]:
    until = time.monotonic() + wait
    while True:
        file = path.open("a+", encoding="utf-8")
        if _take(file):
            if _is_still_there(file, path):
                _sign(file)
                return file
        elif time.monotonic() >= until:
            holder = _holder(file)
            file.close()
            raise HeldError(holder)
        file.close()
        time.sleep(_PATIENCE)


def _take(file: IO[str]) -> bool:
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _is_still_there(file: IO[str], path: Path) -> bool:
    """Whether the locked file is the one of that name: the last holder may have removed it meanwhile."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False


def _sign(file: IO[str]) -> None:
    file.truncate(0)
    json.dump({"process": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%F %T")}, file)
    file.flush()


def _holder(file: IO[str]) -> str:
    file.seek(0)
    try:
        signed: dict[str, Any] = json.load(file)
        return f"process {signed['process']} on {signed['host']}, since {signed['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
