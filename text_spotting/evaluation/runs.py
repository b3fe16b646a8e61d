"""One evaluation as a whole: images, predictions, and how each metric sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

from text_spotting.evaluation.evaluate import ComparedImage, Score, compare, total
from text_spotting.evaluation.lexicon import Lexicon, metric_title
from text_spotting.evaluation.protocols import Protocol, protocol
from text_spotting.words import Word


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a run.

    Attributes:
        title: name for people.
        rules: how it scores.
        images: measured images; where a lexicon moved the readings, not those of the run itself.
    """

    title: str
    rules: Protocol
    images: Sequence[ComparedImage]

    @property
    def score(self) -> Score:
        """Score of the set."""
        return total(self.images, self.rules)

    @property
    def image_scores(self) -> list[Score]:
        """Score of every image."""
        return [image.match(self.rules).score for image in self.images]


@dataclass(frozen=True, slots=True)
class AnnotatedSet:
    """Annotated images.

    Attributes:
        names, paths: of the images.
        sizes: their width and height in pixels.
        truth: their words.
    """

    names: Sequence[str]
    paths: Sequence[Path]
    sizes: Sequence[tuple[int, int]]
    truth: Sequence[Sequence[Word]]

    def keep(self, wanted: Sequence[bool]) -> "AnnotatedSet":
        """Return the set with only those images for which ``wanted`` is set."""
        names, paths = list(compress(self.names, wanted)), list(compress(self.paths, wanted))
        return AnnotatedSet(names, paths, list(compress(self.sizes, wanted)), list(compress(self.truth, wanted)))


@dataclass(frozen=True, slots=True)
class Run:
    """Predictions for a test set, measured.

    Attributes:
        label: where the predictions come from.
        images: measured, in the order of the test set.
        metrics: by their names; those with a lexicon come last, their names ending with its kind.
        fold_case: readings in another case are right.
    """

    label: str
    test_set: AnnotatedSet
    images: Sequence[ComparedImage]
    metrics: Mapping[str, Metric]
    fold_case: bool = True

    def rules(self, name: str) -> Protocol:
        """A metric's rules as this run is scored."""
        return protocol(name, self.fold_case)


def measure(
    label: str,
    test_set: AnnotatedSet,
    predictions: Sequence[Sequence[Word]],
    metrics: Sequence[str],
    lexicons: Sequence[Lexicon] = (),
    fold_case: bool = True,
) -> Run:
    """Measure predictions under metrics, and under those that read also with every lexicon."""
    images = compare(test_set.truth, predictions)
    measured = {name: Metric(metric_title(name), protocol(name, fold_case), images) for name in metrics}
    for lexicon in lexicons:
        moved = compare(test_set.truth, lexicon.apply(predictions))
        for name in metrics:
            if protocol(name).reads:
                full = f"{name}_{lexicon.kind}"
                measured[full] = Metric(metric_title(full), protocol(name, fold_case), moved)
    return Run(label, test_set, images, measured, fold_case)
