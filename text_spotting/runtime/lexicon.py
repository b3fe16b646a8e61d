"""Reading nothing but words of a list: the one that the probabilities of a reading's characters come nearest to."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from text_spotting.decoding import Reading
from text_spotting.errors import UserError
from text_spotting.manifest import Manifest
from text_spotting.words import FloatArray

FARTHEST = 0.5
"""Share of a word's characters that may be wrong; a reading farther from all words is no word of the list."""


class WordList:
    """Words that readings are moved to.

    The distance is an edit distance in which a character costs what its probability lacks to 1, as weighted distances
    on character distributions have it (Liao et al. 2019, Mask TextSpotter, section 3.4).

    Args:
        words: with characters that the model does not know, which match nothing.
        manifest: of the model; its symbols are the classes.
    """

    def __init__(self, words: Iterable[str], manifest: Manifest) -> None:
        self._words = list(dict.fromkeys(word for word in words if word))
        known = {symbol: index for index, symbol in enumerate(manifest.symbols)}
        known.update({symbol.upper(): index for symbol, index in known.items() if symbol.upper() not in known})
        foreign = len(manifest.symbols)
        groups: dict[int, list[int]] = {}
        for index, word in enumerate(self._words):
            groups.setdefault(len(word), []).append(index)
        self._groups = {
            length: (rows, np.array([[known.get(symbol, foreign) for symbol in self._words[row]] for row in rows]))
            for length, rows in groups.items()
        }

    @classmethod
    def read(cls, path: Path, manifest: Manifest) -> "WordList":
        """Read a UTF-8 file with one word a line.

        Raises:
            UserError: it cannot be read or is empty.
        """
        try:
            words = path.read_text(encoding="utf-8-sig").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8"
            raise UserError(f"lexicon {path}: cannot be read ({reason})") from error
        found = cls((word.strip() for word in words), manifest)
        if not found._words:
            raise UserError(f"lexicon {path}: holds no word; expected one a line")
        return found

    def nearest(self, reading: Reading) -> Reading:
        """The reading as the nearest word, whose score is the share of it that was read; empty where none is near."""
        if not reading.text:
            return reading
        best, word = np.inf, ""
        for length, (rows, classes) in self._groups.items():
            if abs(length - len(reading.text)) >= best:
                continue
            costs = _distances(reading.distributions, classes)
            nearest = int(costs.argmin())
            if costs[nearest] < best:
                best, word = float(costs[nearest]), self._words[rows[nearest]]
        if not word or best > FARTHEST * len(word):
            return replace(reading, text="", char_scores=(), score=0.0, distributions=reading.distributions[:0])
        if len(word) == len(reading.text) and best < 0.5:
            return replace(reading, text=word)
        return replace(reading, text=word, char_scores=(), score=max(0.0, 1 - best / len(word)))


def _distances(rows: FloatArray, classes: NDArray[np.int64]) -> FloatArray:
    """Weighted edit distances [N] of a reading's distributions [T, C] to N words of one length, as classes [N, L]."""
    lacking = np.pad(1 - np.asarray(rows, np.float32), ((0, 0), (0, 1)), constant_values=1)
    count, length = classes.shape
    before = np.repeat(np.arange(length + 1, dtype=np.float32)[None], count, axis=0)
    for number, row in enumerate(lacking, start=1):
        here = np.empty_like(before)
        here[:, 0] = number
        changed = before[:, :-1] + row[classes]
        for column in range(1, length + 1):
            gap = np.minimum(before[:, column], here[:, column - 1]) + 1
            here[:, column] = np.minimum(gap, changed[:, column - 1])
        before = here
    return before[:, -1]
