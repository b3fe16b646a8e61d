"""The figures of a set, with the counts of every image, so that two models can be compared image by image."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any

from text_spotting.evaluation.cropped import alphanumeric
from text_spotting.evaluation.evaluate import Score, compare
from text_spotting.evaluation.protocols import protocol
from text_spotting.evaluation.statistics import difference_error, hmean, standard_error
from text_spotting.evaluation.transcriptions import same_word
from text_spotting.words import Word

Counts = list[tuple[int, int, int]]
"""Of every image: right, true and predicted; the last two are equal where words are read and not found."""


@dataclass(frozen=True)
class Column:
    """One figure of a set.

    Attributes:
        figure: name of a protocol, or ``true_frames``, ``found_frames`` or ``crops`` for words that are only read.
        runs: counts of the images for each position.
        reader: which recogniser read; empty for what the spotter does by itself.
    """

    figure: str
    runs: list[Counts] = field(repr=False)
    reader: str = ""

    @property
    def scores(self) -> list[list[Score]]:
        """The counts as scores."""
        return [[Score(*counts) for counts in run] for run in self.runs]

    @property
    def values(self) -> list[float]:
        """The figure, 0..1, in each position."""
        return [hmean(sum(run, Score())) for run in self.scores]

    @property
    def value(self) -> float:
        """Its mean over the positions."""
        return fmean(self.values)

    @property
    def error(self) -> float:
        """Standard error of ``value`` as a figure for such images: bootstrap over images."""
        return standard_error(self.scores)

    @property
    def position_error(self) -> float | None:
        """Standard error of ``value`` for these very images in any position; None where there is one position."""
        return stdev(self.values) / len(self.values) ** 0.5 if len(self.values) > 1 else None

    @property
    def words(self) -> int:
        """True words in one position."""
        return sum(true for _, true, _ in self.runs[0])

    def change_to(self, other: "Column") -> tuple[float, float]:
        """How much higher ``other`` is on the same images, and the standard error of that."""
        return other.value - self.value, difference_error(self.scores, other.scores)

    def to_json(self) -> dict[str, Any]:
        """Plain values, per cent for people and counts for ``from_json``."""
        shown = {"value": round(100 * self.value, 3), "standard_error": round(100 * self.error, 3)}
        if self.position_error is not None:
            shown["standard_error_over_positions"] = round(100 * self.position_error, 3)
        return {"figure": self.figure, "reader": self.reader, **shown, "words": self.words, "counts": self.runs}

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> "Column":
        """What ``to_json`` made."""
        return cls(entry["figure"], entry["counts"], entry["reader"])


def spotting_columns(
    truth: Sequence[Sequence[Word]],
    runs: Sequence[Sequence[Sequence[Word]]],
    figures: Sequence[str],
    fold_case: bool = True,
) -> list[Column]:
    """Figures of finding and reading words.

    Args:
        runs: the words of every image as they were found, for each position.
        fold_case: readings in another case are right.
    """
    positions = [compare(truth, found) for found in runs]
    rules = [protocol(name, fold_case) for name in figures]
    return [
        Column(one.name, [[_counts(image.match(one).score) for image in run] for run in positions]) for one in rules
    ]


def reading_column(
    figure: str,
    reader: str,
    images: Sequence[str],
    readings: Sequence[tuple[str, str, str]],
    fold_case: bool = True,
) -> Column:
    """The share of words read right, letters and digits alone.

    Args:
        images: names of all, those without words included, so that models are compared image by image.
        readings: (image, truth, reading).
        fold_case: readings in another case are right.
    """
    counts = dict.fromkeys(images, (0, 0))
    for image, truth, reading in readings:
        for said, read in alphanumeric([(truth, reading)]):
            right, words = counts[image]
            counts[image] = right + same_word(said, read, fold_case), words + 1
    return Column(figure, [[(right, words, words) for right, words in counts.values()]], reader)


def _counts(score: Score) -> tuple[int, int, int]:
    return score.matched, score.truth, score.predictions
