"""Symbols that the recogniser reads and how text becomes indices and back."""

import string
from collections.abc import Iterable

START = 0
"""Index fed as the first symbol; also pads targets."""
STOP = 1
"""Index that ends a word."""
MAX_LENGTH = 28
"""Most symbols that greedy decoding emits for a word, the stop symbol included."""

SYMBOLS = "  " + string.ascii_lowercase + string.digits
"""One character per class; the two blanks stand for start and stop."""

_INDEX = {symbol: index for index, symbol in enumerate(SYMBOLS) if index > STOP}


def encode(text: str) -> list[int]:
    """Return class indices closed by ``STOP``; empty when the text is empty or holds a foreign character.

    Case is folded, so ``"Bus7"`` and ``"bus7"`` are the same target.
    """
    indices = [_INDEX.get(symbol) for symbol in text.lower()]
    if not indices or None in indices:
        return []
    return [index for index in indices if index is not None] + [STOP]


def spoken(text: str) -> str:
    """Return the text without the marks around it: a reader says ``open`` of ``"Open!"`` as of ``(open)``."""
    return text.strip(MARKS)


MARKS = string.punctuation + "\u00b4\u00b7\u2018\u2019\u201c\u201d\u2022\u2026"
"""Punctuation that is not read at either end of a word."""


def decode(indices: Iterable[int]) -> str:
    """Return the text up to the first ``STOP``; start symbols are passed over."""
    text = []
    for index in indices:
        if index == STOP:
            break
        if index != START:
            text.append(SYMBOLS[index])
    return "".join(text)
