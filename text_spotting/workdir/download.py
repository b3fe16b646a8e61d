"""Fetch a published file once: resumed when interrupted, trusted only when size and hash agree."""

import hashlib
import http.client
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.request import Request, urlopen

from tqdm import tqdm

from text_spotting.errors import UserError
from text_spotting.files.writing import move_whole
from text_spotting.locks import HeldError, lock

ATTEMPTS = 3
CHUNK = 1 << 20
TIMEOUT = 30
"""Seconds without a byte before a connection counts as dead."""
SLOWEST = 1024
"""Bytes a second, on the average of ``WINDOW`` seconds, below which it counts as dead, too."""
WINDOW = 60.0
ELSEWHERE = 3600.0
"""Seconds to wait for another process that fetches the same file."""


class Remote(Protocol):
    """What must be known of a file before it is fetched."""

    @property
    def source(self) -> str: ...
    @property
    def sha256(self) -> str | None: ...
    @property
    def size(self) -> int | None: ...


def cache_dir() -> Path:
    """Folder of downloaded files: ``TEXT_SPOTTING_CACHE``, else the user's cache folder."""
    if chosen := os.environ.get("TEXT_SPOTTING_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "text-spotting" / "downloads"


def file_sha256(path: Path) -> str:
    """Hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(remote: Remote) -> Path:
    """Return the cached copy of a remote file, downloading what is still missing of it.

    An interrupted download stays as ``<sha256>.part`` in the cache and is gone on with next time. Several processes
    that want the same file wait for the first.

    Raises:
        UserError: no connection, no room, or the server's file is not the expected one.
    """
    if remote.sha256 is None or remote.size is None:
        raise ValueError(f"{remote.source}: a download needs sha256 and size")
    folder = cache_dir()
    target = folder / remote.sha256
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with lock(folder / f"{remote.sha256}.lock", ELSEWHERE):
            if not (target.is_file() and file_sha256(target) == remote.sha256):
                _download(remote.source, remote.size, remote.sha256, target)
    except HeldError as error:
        raise UserError(f"{remote.source}: {error} has been fetching it for an hour; stop it or wait") from error
    except OSError as error:
        raise UserError(
            f"{folder}: cannot keep downloads there ({error.strerror or error}); "
            "name another place with TEXT_SPOTTING_CACHE"
        ) from error
    return target


def _download(url: str, size: int, sha256: str, target: Path) -> None:
    part = target.with_name(f"{sha256}.part")
    _complete(url, size, part)
    if (actual := file_sha256(part)) != sha256:
        part.unlink()
        raise UserError(f"{url}: sha256 is {actual}, the template says {sha256}; not used")
    move_whole(part, target)


def _complete(url: str, size: int, part: Path) -> None:
    if _length(part) > size:
        part.unlink()
    reason = ""
    for attempt in range(ATTEMPTS):
        have = _length(part)
        if have == size:
            return
        if attempt:
            time.sleep(attempt)
        try:
            _append(url, size, part, have)
            reason = "the connection ended early"
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = str(error)
            if getattr(error, "code", 0) == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink(missing_ok=True)  # what is here is not the beginning of what is there
            elif _length(part) == have:
                break  # nothing arrived: trying again at once would not help
    if (have := _length(part)) != size:
        raise UserError(f"cannot download {url}: {reason} ({have:,} of {size:,} bytes are here)")


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _append(url: str, size: int, part: Path, have: int) -> None:
    request = Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urlopen(request, timeout=TIMEOUT) as response:
        start = have if response.status == http.HTTPStatus.PARTIAL_CONTENT else 0
        _check_offer(response.headers.get("Content-Length"), size, start)
        pace = _Pace()
        with part.open("ab" if start else "wb") as file, _progress(url, start, size) as advance:
            done = start
            while done < size and (chunk := response.read1(min(CHUNK, size - done))):
                file.write(chunk)
                done += len(chunk)
                pace.count(len(chunk))
                advance(len(chunk))
        if done == size and response.read1(1):
            part.unlink()
            raise ValueError(f"the server sends more than the {size:,} bytes that the template says")


def _check_offer(length: str | None, size: int, start: int) -> None:
    """A server need not say how much it sends; what it says must fit."""
    if length is None:
        return
    if not length.strip().isdigit():
        raise ValueError(f"the server's Content-Length is {length[:40]!r}, not a number")
    if (offered := int(length) + start) != size:
        raise ValueError(f"the server offers {offered:,} bytes where the template says {size:,}")


class _Pace:
    """Gives a connection up that trickles."""

    def __init__(self) -> None:
        self._since, self._bytes = time.monotonic(), 0

    def count(self, arrived: int) -> None:
        """Note bytes that arrived.

        Raises:
            OSError: too few in the last while.
        """
        self._bytes += arrived
        seconds = time.monotonic() - self._since
        if seconds < WINDOW:
            return
        if self._bytes < SLOWEST * seconds:
            raise OSError(f"{self._bytes:,} bytes in {seconds:.0f} seconds are too slow")
        self._since, self._bytes = time.monotonic(), 0


@contextmanager
def _progress(url: str, start: int, size: int) -> Iterator[Callable[[int], object]]:
    name = url.rsplit("/", 1)[-1]
    if sys.stderr.isatty():
        with tqdm(desc=name, initial=start, total=size, unit="B", unit_scale=True, unit_divisor=1024) as bar:
            yield bar.update
        return
    done, shown = start, 10 * start // size
    print(f"{name}: downloading {size - start:,} bytes", file=sys.stderr)

    def advance(count: int) -> None:
        nonlocal done, shown
        done += count
        if 10 * done // size > shown:
            shown = 10 * done // size
            print(f"{name}: {10 * shown}%", file=sys.stderr)

    yield advance
