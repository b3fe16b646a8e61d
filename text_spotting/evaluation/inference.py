"""Running a spotter over picture files."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from text_spotting.pictures import read_picture
from text_spotting.words import Image, Word

Spotter = Callable[[Image], list[Word]]
"""Anything that finds words in a BGR picture."""


def spot_pictures(
    spotter: Spotter,
    paths: Sequence[Path],
    *,
    readers: int = 2,
    spotters: int = 1,
    read: Callable[[Path], Image] = read_picture,
) -> Iterator[list[Word]]:
    """Yield the words of every picture in order, while the next ones are being read.

    Args:
        readers: threads that read and decode pictures.
        spotters: pictures spotted side by side; more than one only for a spotter that may be called from threads.
        read: makes the pixels of a picture file.

    Raises:
        UserError: a picture is missing or broken.
    """
    remaining = iter(paths)
    pending: deque[Future[list[Word]]] = deque()
    with ThreadPoolExecutor(readers) as reading, ThreadPoolExecutor(spotters) as spotting:

        def start(path: Path) -> None:
            picture = reading.submit(read, path)
            pending.append(spotting.submit(lambda: spotter(picture.result())))

        for path in islice(remaining, readers + spotters):
            start(path)
        while pending:
            yield pending.popleft().result()
            for path in islice(remaining, 1):
                start(path)
