"""What a data set teaches: how many of its words can be learnt, and why the others cannot."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from text_spotting.annotations.records import AnnotatedImage
from text_spotting.words import Word

_FEW = 0.05
"""Share of the words that can be read from which on nothing is worth a warning."""


@dataclass(frozen=True, slots=True)
class TrainingSetSummary:
    """Counts of a training set's words.

    Attributes:
        readable: teach finding and reading.
        too_long: longer than the model reads; teach finding alone, as the next two do.
        foreign: with characters that the model does not know.
        untranscribed: without a text.
        ignored: don't-care regions, which teach nothing.
    """

    images: int
    readable: int
    too_long: int
    foreign: int
    untranscribed: int
    ignored: int

    @property
    def words(self) -> int:
        """All but don't-care regions."""
        return self.readable + self.too_long + self.foreign + self.untranscribed

    def __str__(self) -> str:
        reasons = (
            (self.too_long, "too long"),
            (self.foreign, "with characters that the model does not know"),
            (self.untranscribed, "without text"),
            (self.ignored, "don't care"),
        )
        rest = [f"{count} {reason}" for count, reason in reasons if count]
        readable = f"{self.words} words, {self.readable} of them to be read"
        return f"{self.images} images: {'; '.join([readable, *rest])}"

    def warnings(self) -> list[str]:
        """What a user should know before hours are spent."""
        if not self.words:
            return ["no image has a word: there is nothing to learn"]
        if not self.readable:
            return ["no word has a text that the model can read: it will learn to find words, not to read them"]
        if self.readable < _FEW * self.words:
            share = 100 * self.readable / self.words
            return [f"only {share:.1f} % of the words have a text that the model can read"]
        return []


def summarise_training_set(
    images: Iterable[AnnotatedImage], encode: Callable[[str], list[int]], max_length: int
) -> TrainingSetSummary:
    """Count the words of a training set.

    Args:
        encode: a text's classes closed by the stop symbol; none for a text with a foreign character.
        max_length: most classes of a word, the stop included.
    """
    kinds: Counter[str] = Counter()
    number = 0
    for image in images:
        number += 1
        kinds.update(_kind(word, encode, max_length) for word in image.words)
    return TrainingSetSummary(
        number, *(kinds[name] for name in ("readable", "too_long", "foreign", "untranscribed", "ignored"))
    )


def _kind(word: Word, encode: Callable[[str], list[int]], max_length: int) -> str:
    if word.ignore:
        return "ignored"
    if not word.text:
        return "untranscribed"
    classes = encode(word.text)
    if not classes:
        return "foreign"
    return "readable" if len(classes) <= max_length else "too_long"
