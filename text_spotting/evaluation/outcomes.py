"""What became of every word of a picture, for people to look at."""

from dataclasses import dataclass

from text_spotting.draw import Outcome
from text_spotting.evaluation.evaluate import Picture
from text_spotting.evaluation.protocols import PROTOCOLS, Protocol
from text_spotting.words import Word


@dataclass(frozen=True, slots=True)
class WordOutcome:
    """A word as it is shown: a prediction, or a true word that no prediction stands for.

    Attributes:
        truth: the true word that a right or misread prediction was paired with.
    """

    word: Word
    outcome: Outcome
    truth: Word | None = None


def word_outcomes(picture: Picture, rules: Protocol = PROTOCOLS["ic15_end_to_end"]) -> list[WordOutcome]:
    """Return missed and ignored true words and every prediction that counts, each with its outcome.

    A pair shows as its prediction, right or misread. Predictions that a don't-care region excuses are left out.
    """
    matched = picture.match(rules)
    partners = {predicted: (true, right) for (true, predicted), right in zip(matched.pairs, matched.right, strict=True)}
    paired_truth = {true for true, _ in matched.pairs}
    shown = []
    for index, word in enumerate(picture.truth):
        if not matched.care_truth[index]:
            shown.append(WordOutcome(word, Outcome.IGNORED))
        elif index not in paired_truth:
            shown.append(WordOutcome(word, Outcome.MISSED))
    for index, word in enumerate(picture.predictions):
        if index in partners:
            true, right = partners[index]
            shown.append(WordOutcome(word, Outcome.RIGHT if right else Outcome.MISREAD, picture.truth[true]))
        elif matched.care_predictions[index]:
            shown.append(WordOutcome(word, Outcome.FALSE))
    return shown
