"""Scores of predicted words against true words, over a set of images."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from text_spotting.evaluation.matching import Overlaps, excused_predictions, greedy_pairs, measure_overlaps
from text_spotting.evaluation.protocols import METRICS, Protocol, protocol
from text_spotting.words import Word


@dataclass(frozen=True, slots=True)
class Score:
    """Counts over images and the three figures made of them (micro averages).

    Attributes:
        matched: pairs that are right.
        truth: true words that count.
        predictions: predictions that count.
    """

    matched: int = 0
    truth: int = 0
    predictions: int = 0

    @property
    def recall(self) -> float:
        """Share of true words that were matched, 0..1; 0 where there are none."""
        return self.matched / self.truth if self.truth else 0.0

    @property
    def precision(self) -> float:
        """Share of predictions that were matched, 0..1; 0 where there are none."""
        return self.matched / self.predictions if self.predictions else 0.0

    @property
    def hmean(self) -> float:
        """Harmonic mean of recall and precision, 0..1."""
        total = self.truth + self.predictions
        return 2 * self.matched / total if total and self.matched else 0.0

    def __add__(self, other: "Score") -> "Score":
        return Score(self.matched + other.matched, self.truth + other.truth, self.predictions + other.predictions)


@dataclass(frozen=True, slots=True)
class ImageMatch:
    """What became of every word of one image under one protocol.

    Attributes:
        care_truth: (T,) true words that count.
        care_predictions: (P,) predictions that count.
        pairs: index pairs (true, predicted) that overlap enough.
        right: for each pair, whether the reading is right; a wrong pair uses up both of its words.
    """

    care_truth: NDArray[np.bool_]
    care_predictions: NDArray[np.bool_]
    pairs: list[tuple[int, int]]
    right: list[bool]

    @property
    def score(self) -> Score:
        """The image's counts."""
        return Score(sum(self.right), int(self.care_truth.sum()), int(self.care_predictions.sum()))


@dataclass(frozen=True, slots=True)
class ComparedImage:
    """The words of one image and how they lie over each other; made by ``compare``."""

    truth: Sequence[Word]
    predictions: Sequence[Word]
    overlaps: Overlaps

    def match(self, rules: Protocol) -> ImageMatch:
        """Pair the words.

        The order of the predictions matters: of two that overlap a true word enough, the first is taken.
        """
        care_truth = np.array([rules.counts(word) for word in self.truth], dtype=bool)
        enters = np.array([not rules.reads or word.text != "" for word in self.predictions], dtype=bool)
        care_predictions = enters & ~excused_predictions(self.overlaps.cover, care_truth)
        pairs = list(greedy_pairs(self.overlaps.iou, care_truth, care_predictions))
        right = [rules.right(self.truth[true].text, self.predictions[predicted].text) for true, predicted in pairs]
        return ImageMatch(care_truth, care_predictions, pairs, right)

    def keep(self, wanted: NDArray[np.bool_]) -> "ComparedImage":
        """Return the image with only those predictions for which ``wanted`` (P,) is set."""
        kept = [word for word, wish in zip(self.predictions, wanted, strict=True) if wish]
        return ComparedImage(self.truth, kept, Overlaps(self.overlaps.iou[:, wanted], self.overlaps.cover[:, wanted]))


def compare(truth: Sequence[Sequence[Word]], predictions: Sequence[Sequence[Word]]) -> list[ComparedImage]:
    """Measure the overlaps in a set of images, the same ones in the same order in both lists.

    Raises:
        ValueError: a different number of images in ``truth`` and ``predictions``.
    """
    pairs = zip(truth, predictions, strict=True)
    return [ComparedImage(true, predicted, measure_overlaps(true, predicted)) for true, predicted in pairs]


def total(images: Iterable[ComparedImage], rules: Protocol) -> Score:
    """Add up what one protocol counts in every image."""
    return sum((image.match(rules).score for image in images), Score())


def evaluate(
    truth: Sequence[Sequence[Word]],
    predictions: Sequence[Sequence[Word]],
    metrics: Sequence[str] = METRICS,
    fold_case: bool = True,
) -> dict[str, Score]:
    """Score the predictions for a set of images, image by image in the same order.

    Raises:
        UserError: an unknown metric.
        ValueError: a different number of images in ``truth`` and ``predictions``.
    """
    rules = [protocol(name, fold_case) for name in metrics]
    images = compare(truth, predictions)
    return {one.name: total(images, one) for one in rules}
