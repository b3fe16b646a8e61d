"""Measure an exported model here: where an image's time goes, and how near the arithmetic comes to its peak."""

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.errors import UserError

if TYPE_CHECKING:
    from text_spotting.runtime.openvino_engine import OpenVinoEngine
    from text_spotting.runtime.spotter import Spotter
    from text_spotting.words import Image

WORDS = (0, 10, 30, 100)


@dataclass(frozen=True, slots=True)
class Timed:
    """Milliseconds of a whole image.

    Attributes:
        words: found in it.
        megapixels: its size.
        rapidocr_ms: what RapidOCR took for the same image right after; none where it was not asked for.
    """

    words: int
    megapixels: float
    ms: float
    rapidocr_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What is kept of a model.

    Attributes:
        precision: arithmetic.
        megapixels: size of the detector's input.
        lettered: drawn images with more and more words.
        photos: the images given, where RapidOCR was timed on them, too.
    """

    precision: str
    megapixels: float
    lettered: list[Timed]
    photos: list[Timed]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        "--load-weights", type=Path, nargs="+", required=True, help="exported models (.xml, .bin, folder)"
    )
    parser.add_argument("--images", required=True, metavar="SOURCE", help="image, folder or glob pattern to measure on")
    parser.add_argument("--count", type=int, default=10, help="images to use (default: 10)")
    parser.add_argument(
        "--precision", help="arithmetic: f32, bf16 or f16 (default: what the model wants, or the fastest here)"
    )
    parser.add_argument("--threads", type=int, default=0, help="cores to use (default: all)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw time against words, and pixels over the models")
    parser.add_argument("--rapidocr", action="store_true", help="time RapidOCR (OpenVINO engine) on the same images")
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="times of whole images as JSON, for docs/images/speed.py"
    )


def run(args: argparse.Namespace) -> None:
    """Measure each model in turn and print tables."""
    from text_spotting.evaluation.broad import rapid
    from text_spotting.files.writing import require_writable, to_json, write_whole
    from text_spotting.image_files import read_image
    from text_spotting.runtime.sources import find_images

    images = [read_image(path) for path in find_images(args.images)[: args.count]]
    if not images:
        raise UserError(f"--count {args.count}: must be 1 or more")
    for option, path in (("plot", args.plot), ("save", args.save)):
        if path:
            require_writable(path, option)
    if args.rapidocr:
        rapid.engine(args.threads)  # a missing package is told before anything is measured
    rapidocr = partial(rapid.spot, threads=args.threads) if args.rapidocr else None
    measured = {}
    for model in args.load_weights:
        print(f"\n{model}, {len(images)} images")
        measured[model.stem if model.suffix else model.name] = _measure(args, model, images, rapidocr)
    if args.save:
        write_whole(args.save, to_json({name: asdict(one) for name, one in measured.items()}))
    if args.plot:
        _plot(measured, args.plot)


def _measure(
    args: argparse.Namespace, model: Path, images: "list[Image]", rapidocr: "Callable[[Image], object] | None"
) -> Measured:
    """Print one model's tables and return what is kept of it."""
    from text_spotting.runtime.files import find_detector
    from text_spotting.runtime.openvino_engine import OpenVinoEngine
    from text_spotting.runtime.options import Target
    from text_spotting.runtime.session import default_precision
    from text_spotting.runtime.spotter import Spotter

    detector = find_detector(model)
    if detector.suffix != ".xml":
        raise UserError(f"{detector}: only OpenVINO models (.xml) are measured")
    start = time.perf_counter()
    engine = OpenVinoEngine(detector, Target(precision=args.precision, threads=args.threads))
    compiled = time.perf_counter()
    precision = args.precision or default_precision(engine.manifest)
    _first_inference(engine, images[0])
    print(f"{precision}: load and compile {compiled - start:.2f} s, first image {time.perf_counter() - compiled:.2f} s")
    _print_stages(engine, images)
    _print_layers(engine, detector, images[0], precision, args.threads)
    _print_reading(engine, detector, precision)
    spotter = Spotter(engine)
    photos = _print_photos(spotter, rapidocr, images) if rapidocr else []
    lettered = _print_lettered(spotter, rapidocr)
    print(f"peak memory of this process {_peak_megabytes():.0f} MB")
    width, height = engine.manifest.input_size
    return Measured(precision, width * height / 1e6, lettered, photos)


def _first_inference(engine: "OpenVinoEngine", image: "Image") -> None:
    from text_spotting.runtime.spotter import Spotter

    Spotter(engine)(image)


def _print_stages(engine: "OpenVinoEngine", images: "list[Image]") -> None:
    from statistics import mean

    from text_spotting.runtime.measure import stages

    measured = [stages(engine, image, repeats=3) for image in images]
    print(f"{'words':>7} {'prepare':>9} {'detect':>9} {'read':>9} {'finish':>9} {'total':>9}  (ms, means of medians)")
    columns = [
        mean(getattr(one, name) for one in measured) for name in ("prepare", "detect", "read", "finish", "total")
    ]
    print(f"{mean(one.words for one in measured):7.1f} " + " ".join(f"{1000 * value:9.1f}" for value in columns))


def _print_layers(engine: "OpenVinoEngine", detector: Path, image: "Image", precision: str, threads: int) -> None:
    from text_spotting.preprocess import fit_to_input
    from text_spotting.runtime.measure import layer_times, matrix_peak

    times = layer_times(detector, fit_to_input(image, engine.manifest)[0], precision, threads)
    print("detector layers: " + ", ".join(f"{kind} {spent:.1f} ms" for kind, spent in times.by_kind[:8]))
    print(
        f"dense convolutions on the whole image: {times.convolution_gflops:.2f} GFLOP in"
        f" {times.convolution_ms:.1f} ms = {times.gflops_per_second:.0f} GFLOP/s;"
        f" depthwise ones: {times.depthwise_ms:.1f} ms"
    )
    peaks = {kind: matrix_peak(kind, threads) for kind in dict.fromkeys((precision, "i8"))}
    print("peak on a matrix product: " + ", ".join(f"{kind} {value:.0f} GFLOP/s" for kind, value in peaks.items()))
    print(f"reached: {100 * times.gflops_per_second / peaks[precision]:.0f}% of the {precision} peak")


def _print_reading(engine: "OpenVinoEngine", detector: Path, precision: str) -> None:
    import numpy as np

    from text_spotting.runtime.files import graph_files
    from text_spotting.runtime.measure import batch_against_loop, timed
    from text_spotting.runtime.reading import read_features

    shape = engine.text_feature_shape
    words = np.random.default_rng(0).standard_normal((max(WORDS), *shape), np.float32)
    spent = {count: timed(partial(read_features, engine, words[:count]), 3) for count in WORDS}
    print("reading: " + ", ".join(f"{count} words {1000 * seconds:.1f} ms" for count, seconds in spent.items()))
    files = graph_files(detector, engine.manifest)
    batch, loop = batch_against_loop(engine, (files.encoder, files.decoder), words[:30], precision)
    print(
        f"30 words one by one, as clients of single-word graphs do: {1000 * loop:.0f} ms,"
        f" {loop / batch:.1f} times as long as in one batch"
    )


def _timed(spotter: "Spotter", rapidocr: "Callable[[Image], object] | None", image: "Image") -> Timed:
    """One after the other on the same image, so that whatever else the machine does slows both alike."""
    from text_spotting.runtime.measure import timed

    ours = 1000 * timed(partial(spotter, image), 3)
    theirs = 1000 * timed(partial(rapidocr, image), 3) if rapidocr else None
    height, width = image.shape[:2]
    return Timed(len(spotter(image)), width * height / 1e6, ours, theirs)


def _print_photos(spotter: "Spotter", rapidocr: "Callable[[Image], object]", images: "list[Image]") -> list[Timed]:
    from statistics import mean

    photos = [_timed(spotter, rapidocr, image) for image in images]
    mine, theirs = mean(one.ms for one in photos), mean(one.rapidocr_ms or 0.0 for one in photos)
    print(f"whole images: {mine:.0f} ms; RapidOCR with word boxes {theirs:.0f} ms, {theirs / mine:.1f} times as long")
    return photos


def _print_lettered(spotter: "Spotter", rapidocr: "Callable[[Image], object] | None") -> list[Timed]:
    """Time whole images with more and more words."""
    from text_spotting.runtime.measure import lettered_image

    points = [_timed(spotter, rapidocr, lettered_image(count)) for count in WORDS]
    print("whole image by words found: " + ", ".join(f"{one.words} {one.ms:.1f} ms" for one in points))
    if rapidocr:
        print("RapidOCR on the same: " + ", ".join(f"{one.rapidocr_ms:.1f} ms" for one in points))
    return points


def _plot(measured: dict[str, Measured], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    from text_spotting.files.figures import write_figure

    figure, (by_words, by_pixels) = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for name, one in measured.items():
        words, spent = [point.words for point in one.lettered], [point.ms for point in one.lettered]
        by_words.plot(words, spent, marker="o", label=name)
        by_pixels.scatter(one.megapixels, spent[0])
    by_words.set(xlabel="words in the image", ylabel="ms", ylim=(0, None), title="time against words")
    by_pixels.set(xlabel="input, megapixels", xlim=(0, None), ylim=(0, None), title="time against pixels, no words")
    by_words.legend()
    write_figure(path, figure, dpi=120)
    pyplot.close(figure)
    print(f"{path} drawn")


def _peak_megabytes() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
