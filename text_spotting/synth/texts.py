"""What is written in an alphabet: the English corpus for the usual one, word lists and made-up strings for others."""

import functools
import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from text_spotting.alphabet import DEFAULT, Alphabet
from text_spotting.errors import UserError
from text_spotting.files.reading import read_word_list
from text_spotting.fonts import ANY_LANGUAGE, Face, draws, find_faces, missing_characters
from text_spotting.synth import corpus

_LISTED, _ENGLISH, _PLATE = 0.65, 0.3, 0.15
"""Shares of words from the list, of English ones where there is none, and of letters and digits mixed as on plates."""
_ACCENTED = 0.35
"""Share of letters of English words that get an accent where the alphabet has some."""
_RAN_OUT = 1000


class TextSource(Protocol):
    """Says what a sign says; see ``corpus.word`` and ``corpus.line``."""

    def word(self, rng: random.Random, punctuation: float = 0.04) -> str: ...

    def line(self, rng: random.Random, count: int) -> list[str]: ...


class EnglishTexts:
    """English words, names, numbers, prices and the like."""

    def word(self, rng: random.Random, punctuation: float = 0.04) -> str:
        """One word, case and punctuation included."""
        return corpus.word(rng, punctuation)

    def line(self, rng: random.Random, count: int) -> list[str]:
        """``count`` words that stand side by side."""
        return corpus.line(rng, count)


@dataclass(frozen=True)
class LongTexts:
    """Texts of another source, a ``share`` of whose words is long.

    Attributes:
        texts: what is said otherwise.
        share: of words that ``corpus.long_word`` makes.
    """

    texts: TextSource
    share: float

    def word(self, rng: random.Random, punctuation: float = 0.04) -> str:
        """One word, case and punctuation included."""
        return corpus.long_word(rng) if rng.random() < self.share else self.texts.word(rng, punctuation)

    def line(self, rng: random.Random, count: int) -> list[str]:
        """``count`` words that stand side by side."""
        words = self.texts.line(rng, count)
        return [corpus.long_word(rng) if rng.random() < self.share else word for word in words]


@dataclass(frozen=True)
class AlphabetTexts:
    """Texts of which every character, folded as the alphabet folds, can be read.

    Attributes:
        alphabet: each of its symbols is written now and then, whatever the words.
        listed: words to write mostly; without them, English ones where the alphabet has the letters.
    """

    alphabet: Alphabet
    listed: Sequence[str] = ()
    _kinds: "_Kinds" = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_kinds", _Kinds.of(self.alphabet))

    def word(self, rng: random.Random, punctuation: float = 0.04) -> str:
        """One word, case and punctuation included."""
        for _ in range(_RAN_OUT):
            text = self._marked(rng, self._cased(rng, self._plain(rng)), punctuation)
            if 0 < len(self.alphabet.encode(text)) <= self.alphabet.max_length:
                return text
        raise UserError(f"no word fits {self.alphabet.max_length - 1} symbols of the alphabet {self.alphabet.symbols}")

    def line(self, rng: random.Random, count: int) -> list[str]:
        """``count`` words that stand side by side."""
        return [self.word(rng) for _ in range(count)]

    def _plain(self, rng: random.Random) -> str:
        kind = rng.random()
        if self.listed and kind < _LISTED:
            return rng.choice(self.listed)
        if not self.listed and kind < _ENGLISH and self._kinds.english:
            return self._accented(rng, corpus.word(rng, 0.0))
        if kind > 1 - _PLATE and self._kinds.letters and self._kinds.digits:
            return "".join(
                rng.choice(rng.choice((self._kinds.letters, self._kinds.digits))) for _ in range(_length(rng))
            )
        pool = rng.choice([pool for pool in (self._kinds.letters, self._kinds.digits, self._kinds.others) if pool])
        if pool == self._kinds.others:  # marks stand among other characters
            pool = self.alphabet.symbols
        return "".join(rng.choices(pool, k=_length(rng)))

    def _accented(self, rng: random.Random, text: str) -> str:
        variants = self._kinds.variants
        if not variants:
            return text
        accented = ((char, char in variants and rng.random() < _ACCENTED) for char in text.lower())
        return "".join(rng.choice(variants[char]) if other else char for char, other in accented)

    def _cased(self, rng: random.Random, text: str) -> str:
        if self.alphabet.fold_case:
            return corpus.apply_case(rng, text)
        # Where capitals are read as such, both cases must be seen, and mixed ones.
        return rng.choice((str.upper, str.capitalize, str.lower, str))(text) if self._kinds.both_cases else text

    def _marked(self, rng: random.Random, text: str, punctuation: float) -> str:
        if not self._kinds.others:
            return text
        if rng.random() < max(punctuation, 0.2):
            marked = rng.choice(corpus.DECORATIONS).format(text)
            return marked if self.alphabet.encode(marked) else text
        return text


@dataclass(frozen=True)
class _Kinds:
    """An alphabet's symbols by kind."""

    letters: str
    digits: str
    others: str
    both_cases: bool
    variants: dict[str, str]

    @classmethod
    def of(cls, alphabet: Alphabet) -> "_Kinds":
        letters = "".join(symbol for symbol in alphabet.symbols if symbol.isalpha())
        digits = "".join(symbol for symbol in alphabet.symbols if symbol.isdigit())
        others = "".join(symbol for symbol in alphabet.symbols if symbol not in letters + digits)
        both = any(letter.swapcase() in letters and letter.swapcase() != letter for letter in letters)
        variants: dict[str, str] = {}
        for letter in letters:
            base = unicodedata.normalize("NFD", letter)[0]
            if base != letter:
                variants[base] = variants.get(base, "") + letter
        return cls(letters, digits, others, both, variants)

    @property
    def english(self) -> bool:
        return set("etaoinshrdlu") <= set(self.letters)


def _length(rng: random.Random) -> int:
    return rng.choices((1, 2, 3, 4, 5, 6, 7, 8, 9), (3, 6, 12, 16, 18, 16, 12, 10, 7))[0]


def text_source(alphabet: Alphabet = DEFAULT, words: str | Path | None = None) -> TextSource:
    """What to write.

    Args:
        words: UTF-8 file of words, separated by blanks or line ends; its words are written most of the time.

    Raises:
        UserError: the file cannot be read, or the alphabet has not all characters of any of its words.
    """
    if words is None and alphabet == DEFAULT:
        return EnglishTexts()
    return AlphabetTexts(alphabet, _read_words(Path(words), alphabet) if words else ())


@functools.lru_cache(maxsize=8)
def _read_words(path: Path, alphabet: Alphabet) -> tuple[str, ...]:
    found = [word for line in read_word_list(path) for word in line.split()]
    kept = tuple(dict.fromkeys(word for word in found if 0 < len(alphabet.encode(word)) <= alphabet.max_length))
    if not kept:
        raise UserError(f"word list {path}: none of its {len(found)} words can be written in the alphabet")
    return kept


def written_characters(alphabet: Alphabet) -> str:
    """Every character that texts of the alphabet may hold: its symbols, and their capitals where case is folded."""
    capitals = (symbol.upper() for symbol in alphabet.symbols if alphabet.fold_case)
    return "".join(dict.fromkeys([*alphabet.symbols, *(capital for capital in capitals if len(capital) == 1)]))


def plain_options(options: dict[str, Any]) -> dict[str, Any]:
    """Options as they are noted beside a data set; what came later is noted only where it is not as usual."""
    kept = dict(options)
    alphabet = kept.pop("alphabet", None)
    if alphabet is not None and Alphabet.of(alphabet) != DEFAULT:
        kept["alphabet"] = Alphabet.of(alphabet).to_dict()
    if kept.get("word_list") is None:
        kept.pop("word_list", None)
    if not kept.get("handwritten"):
        kept.pop("handwritten", None)
    return kept


def faces_for(alphabet: Alphabet, folders: tuple[str | Path, ...] = ()) -> tuple[Face, ...]:
    """Font faces that draw everything that is written in an alphabet; see ``fonts.find_faces``.

    Raises:
        UserError: no font does; what the best one lacks is named.
    """
    if alphabet == DEFAULT:
        return find_faces(folders)
    needed = written_characters(alphabet)
    faces = find_faces(folders, ANY_LANGUAGE)
    if fitting := tuple(face for face in faces if draws(face, needed)):
        return fitting
    lacking = min((missing_characters(face, needed) for face in faces), key=len, default=needed)
    where = f"in {folders[0]}" if folders else "installed"
    raise UserError(
        f"no font {where} draws the whole alphabet; the best one lacks {' '.join(lacking[:12])}"
        f"{' ...' if len(lacking) > 12 else ''}: give a folder of fonts that do"
    )
