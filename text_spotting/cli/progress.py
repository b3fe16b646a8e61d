"""Progress that suits where it is shown: a bar in a terminal, a plain line now and then in a log."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
SECONDS_BETWEEN_LINES = 10.0


def progress(items: Iterable[Item], unit: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items while saying on stderr how many have passed.

    Args:
        unit: what one item is, in the plural: "pictures".
        total: how many there will be, if known.
    """
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(items, total=total, unit=f" {unit}")
        return
    of_all, said = ("" if total is None else f" of {total}"), time.monotonic()
    for count, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - said > SECONDS_BETWEEN_LINES:
            said = time.monotonic()
            print(f"{count}{of_all} {unit}", file=sys.stderr, flush=True)
