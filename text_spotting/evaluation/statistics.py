"""How sure a figure is, and how it depends on the score threshold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from text_spotting.evaluation.evaluate import ComparedImage, Score
from text_spotting.evaluation.protocols import Protocol

RESAMPLES = 2000
CONFIDENCE = 0.95

Figure = Callable[[Score], float]
"""What to make of counts, such as ``hmean``."""


def hmean(score: Score) -> float:
    """The harmonic mean of recall and precision as a ``Figure``."""
    return score.hmean


def confidence_interval(scores: Sequence[Score], figure: Figure = hmean) -> tuple[float, float]:
    """Percentile bootstrap over images (Efron & Tibshirani 1993): the words of an image are not independent.

    Returns:
        Bounds that hold the figure of a like set of images in ``CONFIDENCE`` of all cases.
    """
    return _percentiles([figure(Score(*counts)) for counts in _resampled(scores)])


def difference_interval(first: Sequence[Score], second: Sequence[Score], figure: Figure = hmean) -> tuple[float, float]:
    """Paired bootstrap of ``figure(second) - figure(first)``: both runs on the same resampled images."""
    pairs = zip(_resampled(first), _resampled(second), strict=True)
    return _percentiles([figure(Score(*after)) - figure(Score(*before)) for before, after in pairs])


def standard_error(runs: Sequence[Sequence[Score]], figure: Figure = hmean) -> float:
    """Bootstrap standard error of the mean of ``figure`` over runs on the same images; mostly there is one run."""
    return float(np.std(_resampled_means(runs, figure)))


def difference_error(
    first: Sequence[Sequence[Score]], second: Sequence[Sequence[Score]], figure: Figure = hmean
) -> float:
    """The same of the difference of two such means: both on the same resampled images."""
    return float(np.std(np.subtract(_resampled_means(second, figure), _resampled_means(first, figure))))


def _resampled_means(runs: Sequence[Sequence[Score]], figure: Figure) -> NDArray[np.float64]:
    values = [[figure(Score(*counts)) for counts in _resampled(scores)] for scores in runs]
    return np.asarray(np.mean(values, axis=0), np.float64)


def share_interval(part: int, whole: int) -> tuple[float, float]:
    """Wilson's interval (1927) of a share of independent words, at ``CONFIDENCE``; (0, 1) of nothing."""
    if not whole:
        return 0.0, 1.0
    deviate = 1.959964
    share, weight = part / whole, deviate**2 / whole
    middle = share + weight / 2
    spread = deviate * (share * (1 - share) / whole + weight / (4 * whole)) ** 0.5
    return max(0.0, (middle - spread) / (1 + weight)), min(1.0, (middle + spread) / (1 + weight))


def _resampled(scores: Sequence[Score]) -> list[list[int]]:
    """Counts of ``RESAMPLES`` sets drawn with replacement; the draw depends on the number of images alone."""
    counts = np.array([(score.matched, score.truth, score.predictions) for score in scores], int).reshape(-1, 3)
    number = len(counts)
    if not number:
        return [[0, 0, 0]]
    drawn = np.random.default_rng(0).multinomial(number, np.full(number, 1 / number), size=RESAMPLES)
    resampled: list[list[int]] = (drawn @ counts).tolist()
    return resampled


def _percentiles(values: Sequence[float]) -> tuple[float, float]:
    tail = (1 - CONFIDENCE) / 2 * 100
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Curve:
    """Scores of a set as the score threshold sinks.

    Attributes:
        thresholds: falling; at each one the predictions with at least that score count.
        scores: the set's score at each threshold.
    """

    thresholds: list[float]
    scores: list[Score]

    @property
    def best(self) -> tuple[float, Score]:
        """Threshold of the highest harmonic mean, and the score there; the highest such threshold."""
        if not self.scores:
            return 0.0, Score()
        index = max(range(len(self.scores)), key=lambda i: self.scores[i].hmean)
        return self.thresholds[index], self.scores[index]


def threshold_curve(images: Sequence[ComparedImage], rules: Protocol) -> Curve:
    """Score the set at every threshold at which anything changes.

    Images are independent, so each is matched once for each of its own scores, and their changes are then merged.
    """
    base = np.zeros(3, int)
    steps: list[tuple[float, NDArray[np.int_]]] = []
    for image in images:
        before = _counts(image.keep(np.zeros(len(image.predictions), bool)), rules)
        base += before
        confidences = np.array([word.score for word in image.predictions])
        for threshold in np.unique(confidences)[::-1]:
            after = _counts(image.keep(confidences >= threshold), rules)
            steps.append((float(threshold), after - before))
            before = after
    steps.sort(key=lambda step: -step[0])
    totals = base + np.cumsum([change for _, change in steps], axis=0) if steps else np.zeros((0, 3), int)
    last = [
        index
        for index, (threshold, _) in enumerate(steps)
        if index + 1 == len(steps) or steps[index + 1][0] < threshold
    ]
    return Curve([steps[index][0] for index in last], [Score(*map(int, totals[index])) for index in last])


def _counts(image: ComparedImage, rules: Protocol) -> NDArray[np.int_]:
    score = image.match(rules).score
    return np.array([score.matched, score.truth, score.predictions])
