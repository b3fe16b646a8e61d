"""Progress of anything that takes a while: a bar on a terminal, now and then a line elsewhere."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

SECONDS_BETWEEN_LINES = 10


def track(items: Iterable[Item], total: int | None, task: str, unit: str = "image") -> Iterator[Item]:
    """Yield the items and show on stderr how many of ``total``, where it is known, are done."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(items, total=total, desc=task, unit=unit)
        return
    of_all, said = ("" if total is None else f" of {total}"), time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - said > SECONDS_BETWEEN_LINES:
            said = time.monotonic()
            print(f"{task}: {done}{of_all} {unit}s", file=sys.stderr, flush=True)
