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
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tqdm import tqdm

from text_spotting.errors import UserError

ATTEMPTS = 3
CHUNK = 1 << 20
TIMEOUT = 30
"""Seconds without a byte before a connection counts as dead."""


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

    An interrupted download stays as ``<sha256>.part`` in the cache and is gone on with next time.

    Raises:
        UserError: no connection, or the server's file is not the expected one.
    """
    if remote.sha256 is None or remote.size is None:
        raise ValueError(f"{remote.source}: a download needs sha256 and size")
    folder = cache_dir()
    folder.mkdir(parents=True, exist_ok=True)
    target, part = folder / remote.sha256, folder / f"{remote.sha256}.part"
    if target.is_file() and file_sha256(target) == remote.sha256:
        return target
    _download(remote.source, remote.size, part)
    if (actual := file_sha256(part)) != remote.sha256:
        part.unlink()
        raise UserError(f"{remote.source}: sha256 is {actual}, the template says {remote.sha256}; not used")
    part.replace(target)
    return target


def _download(url: str, size: int, part: Path) -> None:
    if part.exists() and part.stat().st_size > size:
        part.unlink()
    reason = ""
    for attempt in range(ATTEMPTS):
        have = part.stat().st_size if part.exists() else 0
        if have == size:
            return
        if attempt:
            time.sleep(attempt)
        try:
            _append(url, size, part, have)
            reason = "the connection ended early"
        except (HTTPError, URLError, OSError, http.client.HTTPException) as error:
            reason = str(error)
            if not part.exists() or part.stat().st_size == have:
                break  # nothing arrived: trying again at once would not help
    have = part.stat().st_size if part.exists() else 0
    if have != size:
        raise UserError(f"cannot download {url}: {reason} ({have:,} of {size:,} bytes are here)")


def _append(url: str, size: int, part: Path, have: int) -> None:
    request = Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urlopen(request, timeout=TIMEOUT) as response:
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        offered = int(response.headers.get("Content-Length") or 0) + (have if resumed else 0)
        if offered not in (0, size):
            raise OSError(f"the server offers {offered:,} bytes where the template says {size:,}")
        start = have if resumed else 0
        with part.open("ab" if resumed else "wb") as file, _progress(url, start, size) as advance:
            while chunk := response.read(CHUNK):
                file.write(chunk)
                advance(len(chunk))


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
