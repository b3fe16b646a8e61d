"""Measure images per second of models: with more streams, and on images of more pixels."""

import argparse
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.cli.sizes import size
from text_spotting.errors import UserError

if TYPE_CHECKING:
    from text_spotting.runtime.spotter import Spotter
    from text_spotting.words import Image

    Runner = Callable[[list[Image]], int]
    """Works through images and returns how many words it found."""

SIZES = ((640, 480), (1280, 720), (1920, 1080), (4000, 3000))
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Throughput:
    """What one set-up does with images of one size.

    Attributes:
        name: model, or RapidOCR.
        streams: images that it computes side by side.
        width, height: of the images.
        per_second: images, the median of the rounds.
        words: found on an image, mean.
    """

    name: str
    streams: int
    width: int
    height: int
    per_second: float
    words: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        "--load-weights", type=Path, nargs="+", required=True, help="exported models (.xml, .onnx, folder)"
    )
    parser.add_argument("--images", required=True, metavar="SOURCE", help="image, folder or glob pattern to read")
    parser.add_argument("--count", type=int, default=12, help="images to use (default: 12)")
    parser.add_argument("--precision", help="arithmetic of .xml models: f32, bf16, int8 (default: the fastest here)")
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 2], help="of OpenVINO models (default: 1 2)")
    usual = " ".join(f"{width}x{height}" for width, height in SIZES)
    parser.add_argument(
        "--sizes", type=size, nargs="+", default=SIZES, metavar="WxH", help=f"of images (default: {usual})"
    )
    parser.add_argument("--rapidocr", action="store_true", help="let RapidOCR (OpenVINO engine) read the same images")
    parser.add_argument("--save", type=Path, metavar="FILE", help="figures as JSON, for docs/images/throughput.py")


def run(args: argparse.Namespace) -> None:
    """Let all set-ups work through the images in turn, and print a table for each size."""
    from text_spotting.files.writing import require_writable, to_json, write_whole
    from text_spotting.image_files import read_image
    from text_spotting.runtime.sources import find_images

    for flag, value in (("--count", args.count), ("--streams", min(args.streams))):
        if value < 1:
            raise UserError(f"{flag} {value}: must be 1 or more")
    if args.save:
        require_writable(args.save, "save")
    images = [read_image(path) for path in find_images(args.images)[: args.count]]
    runners = dict(_runners(args))
    measured: list[Throughput] = []
    for pixels in args.sizes:
        rows = measure(runners, images, pixels)
        measured += rows
        _print(rows)
    if args.save:
        write_whole(args.save, to_json([asdict(one) for one in measured]))


def measure(
    runners: "dict[tuple[str, int], Runner]", images: "list[Image]", pixels: tuple[int, int]
) -> list[Throughput]:
    """Time each set-up on the images at one size, all in turn in each round, after one round to warm up."""
    from statistics import median

    import cv2

    scaled = [cv2.resize(image, pixels, interpolation=cv2.INTER_AREA) for image in images]
    words = {key: runner(scaled) for key, runner in runners.items()}
    spent: dict[tuple[str, int], list[float]] = {key: [] for key in runners}
    for _ in range(ROUNDS):
        for key, runner in runners.items():
            start = time.perf_counter()
            runner(scaled)
            spent[key].append(time.perf_counter() - start)
    count = len(scaled)
    return [
        Throughput(name, streams, *pixels, count / median(spent[name, streams]), words[name, streams] / count)
        for name, streams in runners
    ]


def _runners(args: argparse.Namespace) -> "Iterable[tuple[tuple[str, int], Runner]]":
    from text_spotting.runtime.files import find_detector
    from text_spotting.runtime.spotter import Spotter

    for model in args.load_weights:
        detector = find_detector(model)
        name = model.stem if model.suffix else model.name
        is_onnx = detector.suffix == ".onnx"
        for streams in [1] if is_onnx else args.streams:
            precision = None if is_onnx else args.precision
            spotter = Spotter(detector, precision=precision, streams=streams)
            yield (f"{name} (ONNX Runtime)" if is_onnx else name, streams), _counting(spotter)
    if args.rapidocr:
        from text_spotting.evaluation.broad.rapid import spot

        yield ("RapidOCR", 1), lambda images: sum(len(spot(image)) for image in images)


def _counting(spotter: "Spotter") -> "Runner":
    return lambda images: sum(len(words) for words in spotter(images))


def _print(rows: list[Throughput]) -> None:
    print(f"\n{rows[0].width}x{rows[0].height}\n{'':32} {'streams':>8} {'images/s':>11} {'words':>7}")
    for row in rows:
        print(f"{row.name:32.32} {row.streams:8} {row.per_second:11.2f} {row.words:7.1f}")
