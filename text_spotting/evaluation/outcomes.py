"""What became of every word of an image: counted, compared and shown to people from here alone."""

from dataclasses import dataclass

from text_spotting.draw import Outcome
from text_spotting.evaluation.evaluate import ComparedImage
from text_spotting.evaluation.protocols import Protocol
from text_spotting.words import Word


@dataclass(frozen=True, slots=True)
class TruthOutcome:
    """What became of a true word that counts.

    Attributes:
        outcome: right, misread or missed.
        prediction: number of the prediction that it was paired with, None for a missed word.
        reading: what that says; empty for a missed word.
    """

    outcome: Outcome
    prediction: int | None = None
    reading: str = ""


@dataclass(frozen=True, slots=True)
class ImageOutcomes:
    """What became of the words of one image under one protocol.

    Attributes:
        truth: of each true word that counts, by its number.
        false: numbers of the predictions that count and found no partner.
    """

    truth: dict[int, TruthOutcome]
    false: list[int]


def image_outcomes(image: ComparedImage, rules: Protocol) -> ImageOutcomes:
    """Pair the words, and tell for each true one what became of it, and which predictions are false alarms."""
    matched = image.match(rules)
    truth = {int(index): TruthOutcome(Outcome.MISSED) for index in matched.care_truth.nonzero()[0]}
    for (true, predicted), right in zip(matched.pairs, matched.right, strict=True):
        outcome = Outcome.RIGHT if right else Outcome.MISREAD
        truth[true] = TruthOutcome(outcome, predicted, image.predictions[predicted].text)
    paired = {predicted for _, predicted in matched.pairs}
    false = [int(index) for index in matched.care_predictions.nonzero()[0] if int(index) not in paired]
    return ImageOutcomes(truth, false)


@dataclass(frozen=True, slots=True)
class WordOutcome:
    """A word as it is shown: a prediction, or a true word that no prediction stands for.

    Attributes:
        truth: the true word that a right or misread prediction was paired with.
    """

    word: Word
    outcome: Outcome
    truth: Word | None = None


def word_outcomes(image: ComparedImage, rules: Protocol) -> list[WordOutcome]:
    """Return missed and ignored true words and every prediction that counts, each with its outcome.

    A pair shows as its prediction, right or misread. Predictions that a don't-care region excuses are left out.
    """
    found = image_outcomes(image, rules)
    shown = []
    for index, word in enumerate(image.truth):
        if index not in found.truth:
            shown.append(WordOutcome(word, Outcome.IGNORED))
        elif found.truth[index].prediction is None:
            shown.append(WordOutcome(word, Outcome.MISSED))
    partners = {one.prediction: (index, one.outcome) for index, one in found.truth.items()}
    for index, word in enumerate(image.predictions):
        if index in partners:
            true, outcome = partners[index]
            shown.append(WordOutcome(word, outcome, image.truth[true]))
        elif index in found.false:
            shown.append(WordOutcome(word, Outcome.FALSE))
    return shown
