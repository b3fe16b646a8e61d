"""Running a spotter over image files."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from text_spotting.errors import UserError
from text_spotting.image_files import read_image
from text_spotting.words import Image, Word

Spotter = Callable[[Image], list[Word]]
"""Anything that finds words in a BGR image."""
OnBroken = Callable[[Path, UserError], None]


def spot_images(
    spotter: Spotter,
    paths: Sequence[Path],
    *,
    readers: int = 2,
    spotters: int = 1,
    read: Callable[[Path], Image] = read_image,
    on_broken: OnBroken | None = None,
) -> Iterator[list[Word]]:
    """Yield the words of every image in order, while the next ones are being read.

    Args:
        readers: threads that read and decode images.
        spotters: images spotted side by side; more than one only for a spotter that may be called from threads.
        read: makes the pixels of an image file.
        on_broken: told of an image that cannot be read, for which no words are yielded; by default the first such
            image ends the run.

    Raises:
        UserError: an image is missing or broken.
    """
    remaining = iter(paths)
    pending: deque[tuple[Path, Future[list[Word]]]] = deque()
    with ThreadPoolExecutor(readers) as reading, ThreadPoolExecutor(spotters) as spotting:

        def start(path: Path) -> None:
            image = reading.submit(read, path)
            pending.append((path, spotting.submit(lambda: spotter(image.result()))))

        for path in islice(remaining, readers + spotters):
            start(path)
        while pending:
            yield _result(*pending.popleft(), on_broken)
            for path in islice(remaining, 1):
                start(path)


def _result(path: Path, words: Future[list[Word]], on_broken: OnBroken | None) -> list[Word]:
    try:
        return words.result()
    except UserError as error:
        if on_broken is None:
            raise
        on_broken(path, error)
        return []
