"""Two runs over the same images: which words got better and which got worse."""

from collections.abc import Sequence
from dataclasses import dataclass

from text_spotting.draw import Outcome
from text_spotting.evaluation.evaluate import ComparedImage
from text_spotting.evaluation.outcomes import TruthOutcome, image_outcomes
from text_spotting.evaluation.protocols import Protocol
from text_spotting.words import Word

_RANK = {Outcome.MISSED: 0, Outcome.MISREAD: 1, Outcome.RIGHT: 2}
"""A word that is found and misread is better than a word that is missed."""


@dataclass(frozen=True, slots=True)
class Change:
    """A true word that the two runs treat differently."""

    word: Word
    before: TruthOutcome
    after: TruthOutcome

    @property
    def gain(self) -> int:
        """Positive where the later run is better: 1 or 2 steps from missed by misread to right."""
        return _RANK[self.after.outcome] - _RANK[self.before.outcome]


@dataclass(frozen=True, slots=True)
class ImageChange:
    """What changed in one image.

    Attributes:
        better, worse: true words by the direction of their change.
        false_before, false_after: false alarms of the two runs.
    """

    better: list[Change]
    worse: list[Change]
    false_before: int
    false_after: int

    @property
    def gain(self) -> int:
        """Steps gained less steps lost, a false alarm being one step."""
        steps = sum(change.gain for change in (*self.better, *self.worse))
        return steps - (self.false_after - self.false_before)


def compare_runs(before: Sequence[ComparedImage], after: Sequence[ComparedImage], rules: Protocol) -> list[ImageChange]:
    """Compare image by image; both runs must be over the same images in the same order."""
    return [_compare_image(old, new, rules) for old, new in zip(before, after, strict=True)]


def _compare_image(before: ComparedImage, after: ComparedImage, rules: Protocol) -> ImageChange:
    old, new = image_outcomes(before, rules), image_outcomes(after, rules)
    changes = [Change(after.truth[index], old.truth[index], new.truth[index]) for index in new.truth]
    return ImageChange(
        [change for change in changes if change.gain > 0],
        [change for change in changes if change.gain < 0],
        len(old.false),
        len(new.false),
    )
