"""Two runs over the same pictures: which words got better and which got worse."""

from collections.abc import Sequence
from dataclasses import dataclass

from text_spotting.draw import Outcome
from text_spotting.evaluation.evaluate import Picture
from text_spotting.evaluation.protocols import PROTOCOLS, Protocol
from text_spotting.words import Word

_RANK = {Outcome.MISSED: 0, Outcome.MISREAD: 1, Outcome.RIGHT: 2}
"""A word that is found and misread is better than a word that is missed."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What a run made of a true word.

    Attributes:
        reading: what was read; empty for a missed word.
    """

    outcome: Outcome
    reading: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A true word that the two runs treat differently."""

    word: Word
    before: Fate
    after: Fate

    @property
    def gain(self) -> int:
        """Positive where the later run is better: 1 or 2 steps from missed by misread to right."""
        return _RANK[self.after.outcome] - _RANK[self.before.outcome]


@dataclass(frozen=True, slots=True)
class PictureChange:
    """What changed in one picture.

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


def compare_runs(
    before: Sequence[Picture], after: Sequence[Picture], rules: Protocol = PROTOCOLS["ic15_end_to_end"]
) -> list[PictureChange]:
    """Compare picture by picture; both runs must be over the same pictures in the same order."""
    return [_compare_picture(old, new, rules) for old, new in zip(before, after, strict=True)]


def _compare_picture(before: Picture, after: Picture, rules: Protocol) -> PictureChange:
    (old, old_false), (new, new_false) = _fates(before, rules), _fates(after, rules)
    changes = [Change(after.truth[index], old[index], new[index]) for index in new]
    return PictureChange(
        [change for change in changes if change.gain > 0],
        [change for change in changes if change.gain < 0],
        old_false,
        new_false,
    )


def _fates(picture: Picture, rules: Protocol) -> tuple[dict[int, Fate], int]:
    """Fate of every true word that counts, by its index, and the number of false alarms."""
    matched = picture.match(rules)
    fates = {int(index): Fate(Outcome.MISSED) for index in matched.care_truth.nonzero()[0]}
    for (true, predicted), right in zip(matched.pairs, matched.right, strict=True):
        fates[true] = Fate(Outcome.RIGHT if right else Outcome.MISREAD, picture.predictions[predicted].text)
    return fates, int(matched.care_predictions.sum()) - len(matched.pairs)
