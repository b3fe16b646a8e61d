"""What compression gains and loses, measured side by side."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from text_spotting.annotations.records import AnnotatedImage
from text_spotting.evaluation.evaluate import Score, compare
from text_spotting.evaluation.inference import spot_images
from text_spotting.evaluation.protocols import protocol
from text_spotting.evaluation.statistics import difference_interval
from text_spotting.files.writing import write_whole
from text_spotting.image_files import read_image
from text_spotting.runtime.files import find_detector, weight_files
from text_spotting.runtime.session import default_precision
from text_spotting.runtime.spotter import Spotter
from text_spotting.words import Word

FULL = "f32"
"""What a compressed model is compared with."""

_TIMED_IMAGES = 10

Progress = Callable[[Iterator[list[Word]], int], Iterable[list[Word]]]
"""Hands on what was found image by image, of so many, and shows how far that is."""

Counts = dict[str, list[Score]]
"""For each metric, what it counts in every image."""


def points(counts: Counts) -> dict[str, float]:
    """Metrics of the whole set, 0..100."""
    return {name: 100 * sum(scores, Score()).hmean for name, scores in counts.items()}


@dataclass(frozen=True, slots=True)
class AccuracyDrop:
    """Points of a metric, 0..100, that a model has less than another on the same images.

    Attributes:
        low, high: bounds of the loss on like images, from a paired bootstrap; see ``difference_interval``.
    """

    points: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.points:+.2f} ({self.low:+.2f} to {self.high:+.2f})"


def accuracy_drops(before: Counts, after: Counts) -> dict[str, AccuracyDrop]:
    """What each metric lost."""
    scores, fewer = points(before), points(after)
    found = {}
    for name in before:
        low, high = (100 * bound for bound in difference_interval(after[name], before[name]))
        found[name] = AccuracyDrop(scores[name] - fewer[name], low, high)
    return found


@dataclass(frozen=True, slots=True)
class Measurement:
    """One exported model on one validation set.

    Attributes:
        precision: what layers that are not quantized compute in.
        megabytes: weights of the three graphs, in 1e6 bytes.
        speedup: how many times as fast as the model it is compared with; 1 where there is none.
    """

    precision: str
    megabytes: float
    counts: Counts
    speedup: float = 1.0

    def __str__(self) -> str:
        scores = ", ".join(f"{name} {value:.2f}" for name, value in points(self.counts).items())
        return f"{self.precision}, {self.megabytes:.1f} MB, {scores}, {self.speedup:.2f}x as fast"

    def to_dict(self) -> dict[str, object]:
        """Figures of the whole set."""
        return {
            "precision": self.precision,
            "megabytes": self.megabytes,
            "scores": points(self.counts),
            "speedup": self.speedup,
        }


def measure(
    model: Path,
    images: Sequence[AnnotatedImage],
    metrics: Sequence[str],
    progress: Progress,
    precision: str | None = None,
) -> Measurement:
    """Evaluate an exported model.

    Args:
        precision: what it computes in; as it would for its users by default.
    """
    spotter = Spotter(model, precision=precision)
    found = spot_images(spotter, [image.path for image in images])
    words = list(progress(found, len(images)))
    compared = compare([image.words for image in images], words)
    counts = {
        name: [image.match(protocol(name, spotter.manifest.fold_case)).score for image in compared] for name in metrics
    }
    return Measurement(precision or default_precision(spotter.manifest), _megabytes(model), counts)


def speedup(model: Path, full: Path, images: Sequence[AnnotatedImage]) -> float:
    """How many times as fast a model is as the ``full`` one in float32; both are timed in turn, image by image."""
    spotter, other = Spotter(model), Spotter(full, precision=FULL)
    ratios = []
    for annotated in images[:_TIMED_IMAGES]:
        image = read_image(annotated.path)
        for warm_up in (spotter, other):
            warm_up(image)
        ratios.append(_seconds(other, image) / _seconds(spotter, image))
    return median(ratios)


def _seconds(spotter: Spotter, image: object) -> float:
    start = time.perf_counter()
    spotter(image)
    return time.perf_counter() - start


def _megabytes(model: Path) -> float:
    detector = find_detector(model)
    files = weight_files(detector, Spotter(detector).manifest)
    return sum(file.stat().st_size for file in files if file.suffix == ".bin") / 1e6


def save_report(path: Path, quantized: str, before: Measurement, after: Measurement) -> None:
    """Write both measurements, and what lies between them, as JSON."""
    report = {
        "quantized": quantized,
        "before": before.to_dict(),
        "after": after.to_dict(),
        "lost": {name: asdict(drop) for name, drop in accuracy_drops(before.counts, after.counts).items()},
    }
    write_whole(path, json.dumps(report, indent=2) + "\n")
