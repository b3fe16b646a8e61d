"""Alphabets: the symbols that a recogniser reads, and how text becomes class indices and back."""

import string
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from text_spotting.errors import UserError

START = 0
"""Class fed as the first symbol; also pads targets, and is the blank of CTC."""
STOP = 1
"""Class that ends a word."""
SPECIAL = 2
"""Classes before the first readable symbol."""
MAX_LENGTH = 28
"""Most symbols of a word, the stop symbol included, unless the alphabet says otherwise."""

MARKS = string.punctuation + "\u00b4\u00b7\u2018\u2019\u201c\u201d\u2022\u2026"
"""Punctuation that is not read at either end of a word."""

_LATIN_1 = "".join(map(chr, (*range(0xDF, 0xF7), *range(0xF8, 0x100))))
_LATIN_A = "".join(map(chr, range(0x101, 0x138, 2))) + "".join(map(chr, range(0x13A, 0x149, 2)))
_LATIN_B = "".join(map(chr, range(0x14B, 0x178, 2))) + "\u017a\u017c\u017e\u0219\u021b"
_RUSSIAN = "".join(map(chr, range(0x430, 0x450))) + "\u0451"
_SLAVIC = "\u0491\u0454\u0456\u0457\u045e\u0452\u0453\u0455\u0458\u0459\u045a\u045b\u045c\u045f"

READY: dict[str, tuple[str, bool]] = {
    "alphanumeric": (string.ascii_lowercase + string.digits, True),
    "alphanumeric_case": (string.ascii_letters + string.digits, False),
    "printable_ascii": (string.ascii_letters + string.digits + string.punctuation, False),
    "latin": (string.ascii_lowercase + string.digits + _LATIN_1 + _LATIN_A + _LATIN_B, True),
    "cyrillic": (_RUSSIAN + _SLAVIC + string.digits, True),
    "digits": (string.digits, True),
}
"""Symbols and ``fold_case`` of the alphabets that have a name."""


@dataclass(frozen=True)
class Alphabet:
    """What a recogniser can say.

    Classes are ``START``, ``STOP`` and then one for each symbol, in order.

    Attributes:
        symbols: the readable characters, each once, in Unicode's composed form (NFC).
        max_length: most symbols of a word, the stop symbol included.
        fold_case: upper and lower case are one symbol, given in lower case.

    Raises:
        UserError: no symbols, one twice, a space or half a character among them, capitals although case is folded,
            or words of less than one symbol.
    """

    symbols: str = field(default=READY["alphanumeric"][0])
    max_length: int = MAX_LENGTH
    fold_case: bool = True

    def __post_init__(self) -> None:
        if self.max_length < 2:
            raise UserError(f"alphabet: max_length {self.max_length} leaves no room for a symbol and the end of a word")
        if not self.symbols:
            raise UserError("alphabet: symbols are missing; list the characters to read, or name a ready alphabet")
        if twice := sorted({symbol for symbol in self.symbols if self.symbols.count(symbol) > 1}):
            raise UserError(f"alphabet: symbols holds {_listed(twice)} more than once")
        if odd := [symbol for symbol in self.symbols if unicodedata.category(symbol)[0] in "ZCM"]:
            raise UserError(
                f"alphabet: {_listed(odd)} cannot be symbols: no spaces, control characters or lone accents"
            )
        if folded := [symbol for symbol in self.symbols if self.normalise(symbol) != symbol]:
            raise UserError(
                f"alphabet: with fold_case={self.fold_case} {_listed(folded)} can never be read; "
                "write lower case, or set fold_case=False"
            )

    @classmethod
    def of(cls, settings: "Alphabet | Mapping[str, Any] | str | None") -> "Alphabet":
        """Make what a configuration names.

        Args:
            settings: name of a ready alphabet; or a mapping with ``name`` or ``symbols``, and where they are to differ
                ``max_length`` and ``fold_case``; None for the default.

        Raises:
            UserError: an unknown name or key, a value of another type, or what the class refuses.
        """
        if isinstance(settings, Alphabet):
            return settings
        given: dict[str, Any] = {"name": settings} if isinstance(settings, str) else dict(settings or {})
        if unknown := sorted(set(given) - {"name", "symbols", "max_length", "fold_case"}):
            raise UserError(
                f"alphabet: {', '.join(unknown)} is not a known key; use name, symbols, max_length, fold_case"
            )
        if "name" in given and "symbols" in given:
            raise UserError("alphabet: give name or symbols, not both")
        symbols, fold_case = _ready(given.get("name", "alphanumeric"))
        values: dict[str, Any] = {"symbols": symbols, "max_length": MAX_LENGTH, "fold_case": fold_case}
        if "symbols" in given:
            given.setdefault("fold_case", not any(symbol != symbol.lower() for symbol in str(given["symbols"])))
        values.update({key: value for key, value in given.items() if key != "name"})
        for key, kind in (("symbols", str), ("max_length", int), ("fold_case", bool)):
            if type(values[key]) is not kind:
                raise UserError(f"alphabet: {key} must be {kind.__name__}, not {values[key]!r}")
        return cls(**values)

    @property
    def classes(self) -> int:
        """How many classes a recogniser of this alphabet has."""
        return len(self.symbols) + SPECIAL

    @property
    def table(self) -> str:
        """One character for each class; two blanks stand for start and stop."""
        return " " * SPECIAL + self.symbols

    def to_dict(self) -> dict[str, Any]:
        """What ``of`` makes the same alphabet of; snapshots carry it."""
        return asdict(self)

    def normalise(self, text: str) -> str:
        """The form in which texts are compared and learned: composed characters, in lower case where case is folded."""
        if self.fold_case:
            text = text.lower().replace("i\u0307", "i")  # Python's lower case of a capital dotted i
        return unicodedata.normalize("NFC", text)

    def encode(self, text: str) -> list[int]:
        """Classes closed by ``STOP``; empty when the text is empty or holds a foreign character."""
        classes = [self._class_of.get(symbol) for symbol in self.normalise(text)]
        if not classes or None in classes:
            return []
        return [index for index in classes if index is not None] + [STOP]

    def strip_punctuation(self, text: str) -> str:
        """The text without outer marks that the alphabet lacks: ``open`` of ``"Open!"`` as of ``(open)``."""
        return text.strip(self._unread_marks)

    @cached_property
    def _class_of(self) -> dict[str, int]:
        return {symbol: index for index, symbol in enumerate(self.symbols, start=SPECIAL)}

    @cached_property
    def _unread_marks(self) -> str:
        return "".join(mark for mark in MARKS if mark not in self._class_of)


def _ready(name: Any) -> tuple[str, bool]:
    if not isinstance(name, str) or name not in READY:
        raise UserError(f"alphabet: there is none called {name!r}; choose from {', '.join(READY)}, or list the symbols")
    return READY[name]


def _listed(symbols: Iterable[str]) -> str:
    return ", ".join(repr(symbol) for symbol in symbols)


DEFAULT = Alphabet()
"""Letters a-z and digits, case folded: what the published models read."""
