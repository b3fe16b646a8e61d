"""Reading within limits that are set at run time: a set of characters, or a list of words.

All functions work on a reader's probabilities (N, T, classes). A CTC reader's are columns of which one is blank
(``START``); an attention reader's are the steps of a greedy reading, up to and including the stop symbol.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from text_spotting.alphabet import READY, SPECIAL, START, STOP, Alphabet
from text_spotting.errors import UserError

Floats = NDArray[np.floating]

_LEAST = 1e-12
"""Probabilities are taken for no smaller, so that their logarithms, and products of a word's, stay finite."""
_LEAST_SUBSTITUTE = 1e-4
_GAP = 1e-3
"""Probability of a character left out or made up by an attention reader, whose steps do not say."""
_BATCH = 256
"""Words whose exact probability is computed at once."""


def character_classes(characters: str, alphabet: Alphabet) -> NDArray[np.bool_]:
    """Return which classes (classes,) may be read; start and stop always may.

    Args:
        characters: those to be read, or the name of a ready alphabet, of which what the alphabet lacks is left out.

    Raises:
        UserError: a character that the alphabet lacks, or none at all.
    """
    wanted = READY[characters][0] if characters in READY else characters
    symbols = {alphabet.normalise(character) for character in wanted if not character.isspace()}
    lacking = sorted(symbols - set(alphabet.symbols))
    if lacking and characters not in READY:
        raise UserError(
            f"the model cannot read {' '.join(lacking)}; its alphabet is {alphabet.symbols}, train one that has them",
            about="allow",
        )
    if not symbols & set(alphabet.symbols):
        raise UserError(
            f"the model reads none of the characters {characters!r}; its alphabet is {alphabet.symbols}", about="allow"
        )
    return np.array([True] * SPECIAL + [symbol in symbols for symbol in alphabet.symbols])


def restrict(probabilities: Floats, allowed: NDArray[np.bool_]) -> Floats:
    """Return probabilities (..., classes) with nothing for classes that are not allowed, summing to 1 again."""
    kept = np.where(allowed, np.maximum(probabilities, _LEAST), 0.0)
    return np.asarray(kept / kept.sum(axis=-1, keepdims=True), probabilities.dtype)


def restrict_logits(logits: Floats, allowed: NDArray[np.bool_]) -> Floats:
    """Return logits (..., classes) whose softmax is ``restrict`` of theirs: minus infinity where not allowed."""
    return np.where(allowed, logits, np.asarray(-np.inf, logits.dtype))


class Nearest(NamedTuple):
    """The word of a lexicon that a reading is taken for.

    Attributes:
        text: as the lexicon spells it; empty where nothing was read.
        confidence: geometric mean, over its characters and its end, of the probability that they were read, 0..1.
    """

    text: str
    confidence: float


NOTHING = Nearest("", 0.0)


@dataclass(frozen=True)
class Lexicon:
    """Words that readings are limited to, each in the alphabet's classes.

    Attributes:
        spellings: of the words, without duplicates as the alphabet sees them.
        encoded: their classes, without the stop symbol.
        left_out: words that the alphabet cannot write.
    """

    spellings: Sequence[str]
    encoded: Sequence[Sequence[int]]
    classes: int
    left_out: Sequence[str] = ()

    @classmethod
    def of(cls, words: Iterable[str], alphabet: Alphabet) -> "Lexicon":
        """Encode words; of several that are the same to the alphabet, the first gives the spelling.

        Raises:
            UserError: the alphabet can write none of them.
        """
        found: dict[tuple[int, ...], str] = {}
        left_out = []
        for word in words:
            classes = alphabet.encode(word) or alphabet.encode(alphabet.strip_punctuation(word))
            if classes and len(classes) <= alphabet.max_length:
                found.setdefault(tuple(classes[:-1]), word)
            elif word:
                left_out.append(word)
        if not found:
            raise UserError(f"none of the {len(left_out)} words of the lexicon can be written in {alphabet.symbols}")
        return cls(list(found.values()), list(found), alphabet.classes, left_out)

    def nearest_ctc(self, probabilities: Floats) -> list[Nearest]:
        """Return the likeliest word for each row of a CTC reader's columns (N, T, classes).

        A word's probability is the sum over all its alignments (CTC's forward variables, Graves et al. 2006). Few words
        need it: none is likelier than each of its characters appearing somewhere, which is quick to tell of all.
        """
        return [self._ctc(np.maximum(np.asarray(columns, np.float64), _LEAST)) for columns in probabilities]

    def _ctc(self, columns: NDArray[np.float64]) -> Nearest:
        if (columns.argmax(axis=1) == START).all():
            return NOTHING
        bounds = self._holds @ np.log(np.minimum(columns.sum(axis=0), 1.0))
        order = np.argsort(-bounds, kind="stable")
        best, best_word = -np.inf, -1
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            if bounds[batch[0]] <= best:
                break
            likelihoods = ctc_log_likelihoods(columns, self._padded[batch], self._lengths[batch])
            row = int(likelihoods.argmax())
            if likelihoods[row] > best:
                best, best_word = float(likelihoods[row]), int(batch[row])
        if best_word < 0 or not np.isfinite(best):  # no word fits into so few columns
            return NOTHING
        return Nearest(self.spellings[best_word], float(np.exp(best / (self._lengths[best_word] + 1))))

    def nearest_steps(self, probabilities: Iterable[Floats]) -> list[Nearest]:
        """Return the nearest word for each word's steps (T, classes) of an attention reader.

        Nearest is the least edit distance whose substitutions cost minus the logarithm of the wanted character's
        probability at that step, as the weighted distance of Mask TextSpotter's lexicon protocols; ``T`` may be longer
        than a reading, which ends at its first likeliest stop symbol.
        """
        return [self._steps(np.asarray(steps, np.float64)) for steps in probabilities]

    def _steps(self, steps: NDArray[np.float64]) -> Nearest:
        read = steps.argmax(axis=1)
        ended = np.flatnonzero(read == STOP)
        length = int(ended[0]) if len(ended) else len(read)
        if not length:
            return NOTHING
        costs = -np.log(np.clip(steps[:length], _LEAST_SUBSTITUTE, 1.0))
        best, best_word = np.inf, -1
        for size in sorted(self._by_length, key=lambda size: abs(size - length)):
            if abs(size - length) * -np.log(_GAP) >= best:
                break
            rows = self._by_length[size]
            distances = weighted_distances(costs, self._padded[rows, :size])
            row = int(distances.argmin())
            if distances[row] < best:
                best, best_word = float(distances[row]), int(rows[row])
        end = -np.log(max(float(steps[length, STOP]), _LEAST)) if length < len(steps) else 0.0
        return Nearest(self.spellings[best_word], float(np.exp(-(best + end) / (self._lengths[best_word] + 1))))

    @cached_property
    def _lengths(self) -> NDArray[np.intp]:
        return np.array([len(word) for word in self.encoded])

    @cached_property
    def _padded(self) -> NDArray[np.intp]:
        """Classes (words, longest), padded with ``START``."""
        padded = np.full((len(self.encoded), int(self._lengths.max())), START)
        for row, word in zip(padded, self.encoded, strict=True):
            row[: len(word)] = word
        return padded

    @cached_property
    def _holds(self) -> NDArray[np.float32]:
        """1 where a word has a class: (words, classes)."""
        holds = np.zeros((len(self.encoded), self.classes), np.float32)
        for row, word in zip(holds, self.encoded, strict=True):
            row[list(word)] = 1
        return holds

    @cached_property
    def _by_length(self) -> dict[int, NDArray[np.intp]]:
        return {int(length): np.flatnonzero(self._lengths == length) for length in np.unique(self._lengths)}


def ctc_log_likelihoods(
    columns: NDArray[np.float64], words: NDArray[np.intp], lengths: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Log probabilities (W,) that columns (T, classes) spell words (W, L), padded with the blank, of some lengths (W,).

    Minus infinity where a word needs more columns than there are.
    """
    count, longest = words.shape
    labels = np.full((count, 2 * longest + 1), START)
    labels[:, 1::2] = words
    # Blanks may be passed over between different symbols only.
    skips = np.zeros(labels.shape, bool)
    skips[:, 3::2] = labels[:, 3::2] != labels[:, 1:-2:2]
    alpha = np.zeros(labels.shape)
    alpha[:, :2] = columns[0][labels[:, :2]]
    scale = np.zeros(count)
    for column in columns[1:]:
        moved = alpha.copy()
        moved[:, 1:] += alpha[:, :-1]
        moved[:, 2:] += np.where(skips[:, 2:], alpha[:, :-2], 0.0)
        alpha = moved * column[labels]
        total = np.maximum(alpha.sum(axis=1), 1e-300)  # kept near 1, or long words would vanish
        alpha /= total[:, None]
        scale += np.log(total)
    rows = np.arange(count)
    ends = alpha[rows, 2 * lengths] + alpha[rows, 2 * lengths - 1]
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(ends) + scale)


def weighted_distances(costs: NDArray[np.float64], words: NDArray[np.intp]) -> NDArray[np.float64]:
    """Edit distances (W,) of a reading to words (W, L) of one length.

    Args:
        costs: (T, classes) of reading each class at each step; a character left out or made up costs ``-log(_GAP)``.
    """
    count, length = words.shape
    gap = -np.log(_GAP)
    row = [np.full(count, gap * column) for column in range(length + 1)]
    for step in costs:
        diagonal, row[0] = row[0], row[0] + gap
        for column in range(1, length + 1):
            kept = row[column]
            row[column] = np.minimum(np.minimum(kept, row[column - 1]) + gap, diagonal + step[words[:, column - 1]])
            diagonal = kept
    return row[length]
