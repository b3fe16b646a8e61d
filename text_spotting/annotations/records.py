"""Labelled images: what every reader returns and every writer takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from text_spotting.words import Word


@dataclass(frozen=True, slots=True, eq=False)
class LabelledWord(Word):
    """A word together with what else its annotation says.

    An empty ``text`` on a word that is not ``ignore`` means that nobody transcribed it: it is to be found, but gives
    no text target.

    Attributes:
        language: as the source names it ("english", "latin"); empty when unknown.
        attributes: any further annotation attribute (chars, source, ...), kept as it was read.
    """

    language: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def legible(self) -> bool:
        """Whether a person can read the word; the unreadable ones are don't care."""
        return not self.ignore


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedImage:
    """An image and its words; an image without words is a valid negative.

    Attributes:
        path: absolute, or relative to the current folder.
        width, height: in pixels, as stored in the file.
    """

    path: Path
    width: int
    height: int
    words: Sequence[Word] = ()


def labelled(word: Word) -> LabelledWord:
    """Return the word as a ``LabelledWord``, unchanged if it is one."""
    if isinstance(word, LabelledWord):
        return word
    return LabelledWord(word.polygon, word.text, word.score, word.ignore)
