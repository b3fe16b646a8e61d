"""Running a spotter over picture files."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from text_spotting.errors import UserError
from text_spotting.words import Image, Word

Spotter = Callable[[Image], list[Word]]
"""Anything that finds words in a BGR picture."""


def read_picture(path: Path) -> Image:
    """Read a picture as BGR.

    Raises:
        UserError: it is missing or broken.
    """
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise UserError(f"cannot read picture {path}: {error.strerror or error}") from error
    picture = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    if picture is None:
        raise UserError(f"{path} is not a picture or is broken; replace it or take it out of the annotation")
    return np.asarray(picture, np.uint8)


def spot_pictures(
    spotter: Spotter, paths: Sequence[Path], *, readers: int = 2, spotters: int = 1
) -> Iterator[list[Word]]:
    """Yield the words of every picture in order, while the next ones are being read.

    Args:
        readers: threads that read and decode pictures.
        spotters: pictures spotted side by side; more than one only for a spotter that may be called from threads.

    Raises:
        UserError: a picture is missing or broken.
    """
    remaining = iter(paths)
    pending: deque[Future[list[Word]]] = deque()
    with ThreadPoolExecutor(readers) as reading, ThreadPoolExecutor(spotters) as spotting:

        def start(path: Path) -> None:
            picture = reading.submit(read_picture, path)
            pending.append(spotting.submit(lambda: spotter(picture.result())))

        for path in islice(remaining, readers + spotters):
            start(path)
        while pending:
            yield pending.popleft().result()
            for path in islice(remaining, 1):
                start(path)


def write_picture(path: Path, picture: Image) -> None:
    """Write a picture in the format that the file's ending names; the folder is made if need be.

    Raises:
        UserError: the place cannot be written.
    """
    _, content = cv2.imencode(path.suffix, picture)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        content.tofile(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
