"""Words at every frame of a video, which are looked for in some frames and followed through the others."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise

from text_spotting.runtime.flow import View, move_words, view_of
from text_spotting.runtime.tracking import WordTracker
from text_spotting.words import Image, Word

Shown = tuple[Image, list[Word]]
"""A frame and the words in it."""
Stream = Callable[[Iterable[Image]], Iterable[tuple[Image, Sequence[Word]]]]
"""Spots words in frames in turn, as ``Spotter.stream`` does."""

_MOST_VIEWS = 32
"""Frames that have passed during one look and are kept; of more, every other one is left out."""


def spot_each(frames: Iterable[Image], stream: Stream) -> Generator[Shown]:
    """Yield every frame with what is found in it alone."""
    for frame, words in stream(frames):
        yield frame, list(words)


def spot_every(frames: Iterable[Image], stream: Stream, every: int, tracker: WordTracker) -> Generator[Shown]:
    """Look for words in every ``every``-th frame and follow them through those between; the same each time.

    When ``frames`` raises, what came before is still yielded.
    """
    waiting: deque[list[Image]] = deque()

    def looked_at() -> Iterator[Image]:
        for chunk in _chunks(frames, every):
            waiting.append(chunk)
            yield chunk[0]

    for _, found in stream(looked_at()):
        first, *between = waiting.popleft()
        yield first, tracker(found)
        before = view_of(first)
        for frame in between:
            after = view_of(frame)
            yield frame, tracker.move(before, after)
            before = after


def _chunks(frames: Iterable[Image], size: int) -> Iterator[list[Image]]:
    chunk: list[Image] = []
    failure: Exception | None = None
    try:
        for frame in frames:
            chunk.append(frame)
            if len(chunk) == size:
                yield chunk
                chunk = []
    except Exception as error:
        failure = error
    if chunk:
        yield chunk
    if failure is not None:
        raise failure


def spot_live(
    frames: Iterable[Image], spot: Callable[[Image], Sequence[Word]], tracker: WordTracker
) -> Generator[Shown]:
    """Yield every frame as soon as it is there, with words that were looked for as lately as the machine could.

    While one frame is looked at, the words known by then are followed through those that come in. What is found is
    followed from that frame to the newest one, and takes their place.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="spotter") as pool:
        look: Future[Sequence[Word]] | None = None
        views: list[View] = []  # from the frame that is looked at to the newest
        for frame in frames:
            view = view_of(frame)
            shown = tracker.move(views[-1], view) if views else []
            views.append(view)
            if look is not None and look.done():
                shown = tracker(_followed(look.result(), views))
                look = None
            if look is None:
                look = pool.submit(spot, frame)
                views = [view]
            elif len(views) > _MOST_VIEWS:
                views = [*views[:-1:2], views[-1]]
            yield frame, shown


def _followed(words: Sequence[Word], views: Sequence[View]) -> list[Word]:
    """Words of the first view, where they are in the last."""
    for before, after in pairwise(views):
        words = [word for word in move_words(words, before, after) if word is not None]
    return list(words)
