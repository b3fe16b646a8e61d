"""What compression gains and loses, measured side by side."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from text_spotting.annotations.records import AnnotatedImage
from text_spotting.evaluation.evaluate import evaluate
from text_spotting.evaluation.files import write_atomically
from text_spotting.evaluation.inference import spot_pictures
from text_spotting.pictures import read_picture
from text_spotting.runtime.files import find_detector, text_graphs
from text_spotting.runtime.session import usual_precision
from text_spotting.runtime.spotter import Spotter

FULL = "f32"
"""What a compressed model is compared with."""

_TIMED_PICTURES = 10


@dataclass(frozen=True, slots=True)
class Measured:
    """One exported model on one validation set.

    Attributes:
        precision: what layers that are not quantized compute in.
        megabytes: weights of the three graphs, in 1e6 bytes.
        scores: metrics in points, 0..100.
        speedup: how many times as fast as the model it is compared with; 1 where there is none.
    """

    precision: str
    megabytes: float
    scores: dict[str, float]
    speedup: float = 1.0

    def __str__(self) -> str:
        scores = ", ".join(f"{name} {value:.2f}" for name, value in self.scores.items())
        return f"{self.precision}, {self.megabytes:.1f} MB, {scores}, {self.speedup:.2f}x as fast"


def measure(
    model: Path,
    pictures: Sequence[AnnotatedImage],
    metrics: Sequence[str],
    precision: str | None = None,
    beside: Path | None = None,
) -> Measured:
    """Evaluate an exported model, and time it in turn with the one ``beside`` it, which computes in float32.

    Args:
        precision: what it computes in; as it would for its users by default.
    """
    spotter = Spotter(model, precision=precision)
    words = list(spot_pictures(spotter, [picture.path for picture in pictures]))
    found = evaluate([picture.words for picture in pictures], words, metrics)
    scores = {name: 100 * score.hmean for name, score in found.items()}
    speedup = _speedup(spotter, Spotter(beside, precision=FULL), pictures) if beside else 1.0
    return Measured(precision or spotter.manifest.precision or usual_precision(), _megabytes(model), scores, speedup)


def _speedup(spotter: Spotter, other: Spotter, pictures: Sequence[AnnotatedImage]) -> float:
    ratios = []
    for picture in pictures[:_TIMED_PICTURES]:
        image = read_picture(picture.path)
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
    files = (detector, *text_graphs(detector, Spotter(detector).manifest))
    return sum(file.with_suffix(".bin").stat().st_size for file in files) / 1e6


def save_report(path: Path, quantized: str, before: Measured, after: Measured) -> None:
    """Write both measurements as JSON."""
    report = {"quantized": quantized, "before": asdict(before), "after": asdict(after)}
    write_atomically(path, json.dumps(report, indent=2) + "\n")
