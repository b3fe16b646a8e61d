"""What became of every word of a picture, for people to look at."""

from text_spotting.draw import Outcome
from text_spotting.evaluation.evaluate import Picture
from text_spotting.evaluation.protocols import PROTOCOLS, Protocol
from text_spotting.words import Word


def outcomes(picture: Picture, rules: Protocol = PROTOCOLS["ic15_end_to_end"]) -> list[tuple[Word, Outcome]]:
    """Return missed and ignored true words and every prediction that counts, each with its outcome.

    A pair shows as the prediction, right or misread. Predictions that don't-care regions excuse are left out.
    """
    matched = picture.match(rules)
    partner = {predicted: right for (_, predicted), right in zip(matched.pairs, matched.right, strict=True)}
    paired_truth = {true for true, _ in matched.pairs}
    shown = []
    for index, word in enumerate(picture.truth):
        if not matched.care_truth[index]:
            shown.append((word, Outcome.IGNORED))
        elif index not in paired_truth:
            shown.append((word, Outcome.MISSED))
    for index, word in enumerate(picture.predictions):
        if matched.care_predictions[index]:
            shown.append((word, _of_prediction(partner.get(index))))
    return shown


def _of_prediction(right: bool | None) -> Outcome:
    """``right`` is None for a prediction without partner."""
    if right is None:
        return Outcome.FALSE
    return Outcome.RIGHT if right else Outcome.MISREAD
