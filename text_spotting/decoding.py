"""From the classes that a network emits to text, the same for every reader and back end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import mul
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from text_spotting import constraints
from text_spotting.manifest import Manifest
from text_spotting.words import FloatArray

State = TypeVar("State")
Step = Callable[[NDArray[np.int64], State], tuple[FloatArray, State]]
"""One decoder step: symbols [N] and a state to logits [N, classes] and the next state."""

Classes = NDArray[np.bool_]
"""[classes]: which of them may be emitted."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What was read in one word.

    Attributes:
        text: the characters.
        char_scores: probability of each.
        score: probability of the whole: the product of what was chosen, of the characters and of the end.
        distributions: [characters, classes] probabilities that each was chosen from.
        parts: the words that it really is, where several were found as one; else none.
    """

    text: str
    char_scores: tuple[float, ...]
    score: float
    distributions: FloatArray
    parts: tuple["Part", ...] = ()


class Part(NamedTuple):
    """One of several words that were found as one, from ``start`` to ``end``, shares 0..1 of what was found."""

    start: float
    end: float
    reading: Reading


def allowed_classes(manifest: Manifest, characters: str | None = None) -> Classes:
    """Which classes may be emitted when only ``characters`` are read; None reads all symbols of the model.

    Raises:
        UserError: see ``constraints.character_classes``.
    """
    if characters is None:
        return np.ones(len(manifest.symbols), bool)
    allowed = constraints.character_classes(characters, manifest.alphabet)
    allowed[manifest.start] = False
    return allowed


def greedy_decode(
    step: Step[State], state: State, count: int, manifest: Manifest, allowed: Classes | None = None
) -> list[Reading]:
    """Read ``count`` words together, always taking the likeliest symbol, until the last one has ended.

    A word ends with the stop symbol, or after ``max_length`` symbols.
    """
    symbols: NDArray[np.int64] = np.full(count, manifest.start, np.int64)
    alive = np.ones(count, bool)
    chosen: list[NDArray[np.int64]] = []
    rows: list[FloatArray] = []
    while alive.any() and len(chosen) < manifest.max_length:
        logits, state = step(symbols, state)
        rows.append(probabilities(logits, allowed))
        symbols = np.where(alive, rows[-1].argmax(axis=1), manifest.stop)
        alive &= symbols != manifest.stop
        chosen.append(symbols)
    return [
        _until_stop(np.array([step[word] for step in chosen]), np.array([row[word] for row in rows]), manifest)
        for word in range(count)
    ]


def probabilities(logits: FloatArray, allowed: Classes | None = None) -> FloatArray:
    """Softmax over each row of [N, classes], shared among the classes allowed."""
    if allowed is not None:
        logits = constraints.restrict_logits(logits, allowed)
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)


def _until_stop(symbols: NDArray[np.int64], rows: FloatArray, manifest: Manifest) -> Reading:
    """One word of symbols [T] chosen from rows [T, classes]; start symbols are passed over."""
    ends = np.flatnonzero(symbols == manifest.stop)
    length = int(ends[0]) if len(ends) else len(symbols)
    chosen = rows.max(axis=1)
    kept = np.flatnonzero(symbols[:length] != manifest.start)
    return _reading(symbols[kept], rows[kept], chosen[: length + 1], manifest)


def ctc_decode(columns: FloatArray, manifest: Manifest, allowed: Classes | None = None) -> list[Reading]:
    """Read words from the classes of their columns (best path decoding, Graves et al. 2006).

    A character's probability is that of its surest column. A word without characters is as sure as that
    its most doubtful column holds one, for what cannot be read is hardly a word.

    Args:
        columns: [N, T, classes] probabilities; the start symbol is the blank.
    """
    return [_best_path(word, manifest) for word in ctc_columns(columns, manifest, allowed)]


def ctc_columns(columns: FloatArray, manifest: Manifest, allowed: Classes | None = None) -> FloatArray:
    """Columns [N, T, classes] shared among the blank and the classes allowed, of which the stop symbol is none."""
    mask = allowed_classes(manifest) if allowed is None else allowed.copy()
    mask[manifest.start], mask[manifest.stop] = True, False
    return constraints.restrict(np.asarray(columns, np.float32), mask)


MEET = 0.8
"""Probability from which on words are taken to meet in a column; chosen in ``docs/experiments/separator.md``."""
_CLOSE = 0.5
"""The same of columns beside such a one, which belong to neither word."""


def word_ranges(columns: FloatArray, manifest: Manifest, allowed: Classes | None = None) -> list[tuple[int, int]]:
    """Where in columns [T, classes] of what was found as a word the words are: first column, and one behind the last.

    Words meet between two characters, in a column where the class of the stop symbol says so (``models.ctc``) and no
    character is read.
    """
    symbols = ctc_columns(columns[None], manifest, allowed)[0]
    meeting = np.where(symbols.argmax(axis=1) == manifest.start, columns[:, manifest.stop], 0)
    characters = _characters(symbols, manifest)
    ranges, start = [], 0
    for before, behind in pairwise(characters):
        between = meeting[before + 1 : behind]
        if between.max(initial=0) >= MEET:
            end = behind - len(between) + int(between.argmax())
            ranges.append((start, _edge(meeting, end, before, -1) + 1))
            start = _edge(meeting, end, behind, 1)
    return [*ranges, (start, len(columns))]


def _edge(meeting: FloatArray, column: int, character: int, step: int) -> int:
    """The first column, from one where words meet on towards a character, that belongs to the character's word."""
    while column != character and meeting[column] >= _CLOSE:
        column += step
    return column


def _best_path(columns: FloatArray, manifest: Manifest) -> Reading:
    path, chosen, kept = columns.argmax(axis=1), columns.max(axis=1), _characters(columns, manifest)
    scores = chosen[kept] if kept else 1 - columns[:, manifest.start].min(keepdims=True, initial=1)
    return _reading(path[kept], columns[kept], scores, manifest)


def _characters(columns: FloatArray, manifest: Manifest) -> list[int]:
    """The surest column of each character on the best path through columns [T, classes]."""
    path, chosen = columns.argmax(axis=1), columns.max(axis=1)
    first = np.flatnonzero(np.diff(path, prepend=-1))
    ends = [*first[1:], len(path)]
    surest = [start + int(chosen[start:end].argmax()) for start, end in zip(first, ends, strict=True)]
    return [column for column in surest if path[column] != manifest.start]


def _reading(
    symbols: Sequence[int] | NDArray[np.int64], rows: FloatArray, chosen: FloatArray, manifest: Manifest
) -> Reading:
    text = "".join(manifest.symbols[symbol] for symbol in symbols)
    score = reduce(mul, (float(value) for value in chosen), 1.0)
    return Reading(text, tuple(float(row.max()) for row in rows), score, rows)
