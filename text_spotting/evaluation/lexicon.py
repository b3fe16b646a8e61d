"""Lexicons: lists of words that a reading may be moved to, as the ICDAR 2015 end-to-end tasks hand them out.

Strong: a list of 100 words for each image; weak: the words of the whole test set; generic: 90,000 words. The
evaluation itself is the same with and without one. How readings are moved is up to the participant; here, as is usual
in the literature, to the word at the least edit distance, case apart, the first of several. With a weak or strong
lexicon a reading more than one edit away from every word is taken for a false alarm and left out; a generic one keeps
it. Readings that no challenge lexicon lists, numbers and words of one or two characters, stay as they are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import compress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from text_spotting.errors import UserError
from text_spotting.evaluation.protocols import protocol
from text_spotting.evaluation.transcriptions import MIN_WORD_LENGTH
from text_spotting.files.reading import listing, read_text
from text_spotting.words import Word

GENERIC_SIZE = 10_000
"""A single list of at least so many words is taken for a generic lexicon, a shorter one for a weak lexicon."""


class Kind(StrEnum):
    """How much a lexicon gives away; also the ending of the metrics' names."""

    GENERIC = "generic"
    WEAK = "weak"
    STRONG = "strong"


FARTHEST: dict[Kind, int | None] = {Kind.GENERIC: None, Kind.WEAK: 1, Kind.STRONG: 1}
"""Edits beyond which a reading is left out."""


class Vocabulary:
    """A list of words that finds the nearest one.

    Args:
        lines: ``word``, or ``KEY word`` where readings are compared to the key and become the word (the "pair lists"
            that go round with the ICDAR lexicons: keys without punctuation).
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._words: dict[str, str] = {}
        for line in lines:
            key, _, word = line.strip().partition(" ")
            if key:
                self._words.setdefault(key.upper(), word.strip() or key)
        self.nearest = lru_cache(maxsize=None)(self._nearest)

    def __len__(self) -> int:
        return len(self._words)

    def _nearest(self, reading: str) -> tuple[str, int]:
        """Return the word at the least edit distance from the reading, and that distance; ties go to the first."""
        reading = reading.upper()
        if reading in self._words:
            return self._words[reading], 0
        best, best_rank = len(reading) + max(self._by_length, default=0), len(self)
        for length in sorted(self._by_length, key=lambda length: abs(length - len(reading))):
            if abs(length - len(reading)) > best:
                break
            ranks, codes = self._by_length[length]
            distances = edit_distances(reading, codes)
            row = int(distances.argmin())
            best, best_rank = min((best, best_rank), (int(distances[row]), int(ranks[row])))
        return self._keys[best_rank], best

    @cached_property
    def _keys(self) -> list[str]:
        return list(self._words.values())

    @cached_property
    def _by_length(self) -> Mapping[int, tuple[NDArray[np.intp], NDArray[np.uint32]]]:
        """Ranks and code points (N, length) of the keys of each length."""
        keys = list(self._words)
        lengths = np.array([len(key) for key in keys])
        groups = {}
        for length in np.unique(lengths):
            ranks = np.flatnonzero(lengths == length)
            text = "".join(keys[rank] for rank in ranks)
            groups[int(length)] = ranks, np.array([ord(letter) for letter in text], np.uint32).reshape(-1, length)
        return groups


def edit_distances(word: str, codes: NDArray[np.uint32]) -> NDArray[np.int16]:
    """Levenshtein distances (N,) from one word to N words of one length, given as code points (N, length)."""
    count, length = codes.shape
    row = [np.full(count, column, np.int16) for column in range(length + 1)]
    for number, letter in enumerate(word, start=1):
        unequal = (codes != ord(letter)).astype(np.int16)
        diagonal, row[0] = row[0], np.full(count, number, np.int16)
        for column in range(1, length + 1):
            kept = row[column]
            gap = np.minimum(kept, row[column - 1]) + np.int16(1)
            row[column] = np.minimum(gap, diagonal + unequal[:, column - 1])
            diagonal = kept
    return row[length]


@dataclass(frozen=True)
class Lexicon:
    """A lexicon for a set of images.

    Attributes:
        vocabularies: one for every image; images may share one.
    """

    kind: Kind
    vocabularies: Sequence[Vocabulary]

    def keep(self, wanted: Sequence[bool]) -> "Lexicon":
        """Return the lexicon of only those images for which ``wanted`` is set."""
        return Lexicon(self.kind, list(compress(self.vocabularies, wanted)))

    def apply(self, predictions: Sequence[Sequence[Word]]) -> list[list[Word]]:
        """Return the predictions with readings moved to the lexicon; words without text are kept as they are."""
        return [
            [moved for word in words if (moved := _move(word, vocabulary, FARTHEST[self.kind])) is not None]
            for words, vocabulary in zip(predictions, self.vocabularies, strict=True)
        ]


def _move(word: Word, vocabulary: Vocabulary, farthest: int | None) -> Word | None:
    if len(word.text) < MIN_WORD_LENGTH or any(character.isdigit() for character in word.text):
        return word
    text, distance = vocabulary.nearest(word.text)
    if farthest is not None and distance > farthest:
        return None
    return replace(word, text=text)


def read_lexicon(option: str, names: Sequence[str]) -> Lexicon:
    """Read the word lists that an option names.

    Args:
        option: ``[generic=|weak=|strong=]PATH``; a file is one list for all images, a folder holds a list for each
            image in a text file whose name ends with the image's (``voc_img_7.txt`` for ``img_7``). Unless the
            kind is given, a folder is strong and a file generic or weak by its length.
        names: the images' names.

    Raises:
        UserError: nothing is there, a list is empty, or an image has none.
    """
    prefix, separator, rest = option.partition("=")
    kind = Kind(prefix) if separator and prefix in set(Kind) else None
    path = Path(rest if kind else option)
    if path.is_dir():
        return Lexicon(kind or Kind.STRONG, _read_folder(path, names))
    vocabulary = _read_file(path)
    guess = Kind.GENERIC if len(vocabulary) >= GENERIC_SIZE else Kind.WEAK
    return Lexicon(kind or guess, [vocabulary] * len(names))


def _read_folder(folder: Path, names: Sequence[str]) -> list[Vocabulary]:
    files = sorted(listing(folder, "*.txt"), key=lambda file: len(file.name))
    found = {}
    for name in names:
        stem = name.rpartition("/")[2]
        fitting = (file for file in files if file.stem == stem or file.stem.endswith(f"_{stem}"))
        found[name] = next(fitting, None)
    if missing := [name for name, file in found.items() if file is None]:
        raise UserError(
            f"{folder} has no list for {len(missing)} of {len(names)} images, the first is {missing[0]} "
            f"(expected voc_{missing[0]}.txt)",
            about="lexicon",
        )
    return [_read_file(file) for file in found.values() if file is not None]


def _read_file(path: Path) -> Vocabulary:
    if not path.is_file():
        raise UserError(f"cannot read {path}: no such file", about="lexicon")
    try:
        vocabulary = Vocabulary(read_text(path, "lexicon").splitlines())
    except UserError as error:
        raise UserError(f"{error}", about="lexicon") from error
    if not len(vocabulary):
        raise UserError(f"{path} holds no word; expected one word a line", about="lexicon")
    return vocabulary


def metric_title(name: str) -> str:
    """Name for people of a metric, with the letter of its lexicon as the challenge's tables have it: S, W or G."""
    for kind in Kind:
        if name.endswith(f"_{kind}"):
            return f"{protocol(name.removesuffix(f'_{kind}')).title} ({kind[0].upper()})"
    return protocol(name).title
