"""The two score thresholds of a spotter: applying them, and searching for good ones."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from text_spotting.errors import UserError
from text_spotting.evaluation.evaluate import ComparedImage, Score, compare
from text_spotting.evaluation.protocols import Protocol
from text_spotting.evaluation.statistics import threshold_curve
from text_spotting.words import Word

GRID = tuple(round(0.05 * step, 2) for step in range(20))
"""Values that are tried for both thresholds."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Least scores.

    Attributes:
        detection: words below it are left out.
        text: texts below it are taken for unread; the word stays.
    """

    detection: float
    text: float

    def apply(self, predictions: Sequence[Sequence[Word]]) -> list[list[Word]]:
        """Return the predictions as a spotter with these thresholds would have made them."""
        return [
            [_unread_below(word, self.text) for word in words if word.score >= self.detection] for words in predictions
        ]


def parse_thresholds(option: str) -> Thresholds | None:
    """Read thresholds: two numbers with a comma between them, or None for ``search``.

    Raises:
        UserError: it is neither.
    """
    if option == "search":
        return None
    try:
        detection, text = (float(value) for value in option.split(","))
    except ValueError as error:
        raise UserError(f"{option}: expected 'search' or DETECTION,TEXT such as 0.5,0.4", about="thresholds") from error
    if not (0 <= detection <= 1 and 0 <= text <= 1):
        raise UserError(f"{option}: both must lie between 0 and 1", about="thresholds")
    return Thresholds(detection, text)


def search_thresholds(
    truth: Sequence[Sequence[Word]],
    predictions: Sequence[Sequence[Word]],
    rules: Protocol,
    track: Callable[[Iterable[float]], Iterable[float]] = iter,
) -> tuple[Thresholds, Score]:
    """Try every pair of ``GRID``; return the one with the highest harmonic mean, the lowest of equals, and its score.

    Args:
        predictions: with all scores, that is, made with thresholds as low as the spotter allows.
        track: wraps the grid, to show progress.
    """
    images = compare(truth, predictions)
    best, best_score = Thresholds(0.0, 0.0), Score()
    for text in track(GRID):
        read = [_read_above(image, text) for image in images]
        curve = threshold_curve(read, rules)
        points = list(zip(curve.thresholds, curve.scores, strict=True))
        for detection in GRID:
            score = next((score for value, score in reversed(points) if value >= detection), Score())
            if score.hmean > best_score.hmean:
                best, best_score = Thresholds(detection, text), score
    return best, best_score


def _read_above(image: ComparedImage, text: float) -> ComparedImage:
    return ComparedImage(image.truth, [_unread_below(word, text) for word in image.predictions], image.overlaps)


def _unread_below(word: Word, threshold: float) -> Word:
    return word if word.text_score >= threshold else replace(word, text="")
