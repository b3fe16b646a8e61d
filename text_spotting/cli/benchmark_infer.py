"""Measure an exported model here: where a picture's time goes, and how near the arithmetic comes to its peak."""

import argparse
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.errors import UserError

if TYPE_CHECKING:
    from text_spotting.runtime.openvino_engine import OpenVinoEngine
    from text_spotting.words import Image

WORDS = (0, 10, 30, 100)


@dataclass(frozen=True, slots=True)
class Curve:
    """Milliseconds of a whole picture by the words found in it.

    Attributes:
        megapixels: size of the detector's input.
        points: words found and milliseconds.
    """

    megapixels: float
    points: list[tuple[int, float]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        "--load-weights", type=Path, nargs="+", required=True, help="exported models (.xml, .bin, folder)"
    )
    parser.add_argument(
        "--images", required=True, metavar="SOURCE", help="picture, folder or glob pattern to measure on"
    )
    parser.add_argument("--count", type=int, default=10, help="pictures to use (default: 10)")
    parser.add_argument(
        "--precision", help="arithmetic: f32, bf16 or f16 (default: what the model wants, or the fastest here)"
    )
    parser.add_argument("--threads", type=int, default=0, help="cores to use (default: all)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw time against words, and pixels over the models")
    parser.add_argument("--rapidocr", action="store_true", help="time RapidOCR (OpenVINO engine) on the same pictures")


def run(args: argparse.Namespace) -> None:
    """Measure each model in turn and print tables."""
    from text_spotting.files.writing import require_writable
    from text_spotting.pictures import read_picture
    from text_spotting.runtime.sources import find_images

    pictures = [read_picture(path) for path in find_images(args.images)[: args.count]]
    if not pictures:
        raise UserError(f"--count {args.count}: must be 1 or more")
    if args.plot:
        require_writable(args.plot, "plot")
    curves = {}
    for model in args.load_weights:
        print(f"\n{model}, {len(pictures)} pictures")
        curves[model.stem if model.suffix else model.name] = _measure(args, model, pictures)
    if args.plot:
        _plot(curves, args.plot)


def _measure(args: argparse.Namespace, model: Path, pictures: "list[Image]") -> Curve:
    """Print one model's tables and return its curve."""
    from text_spotting.runtime.files import find_detector
    from text_spotting.runtime.openvino_engine import OpenVinoEngine
    from text_spotting.runtime.options import Target
    from text_spotting.runtime.session import default_precision

    detector = find_detector(model)
    if detector.suffix != ".xml":
        raise UserError(f"{detector}: only OpenVINO models (.xml) are measured")
    start = time.perf_counter()
    engine = OpenVinoEngine(detector, Target(precision=args.precision, threads=args.threads))
    compiled = time.perf_counter()
    precision = args.precision or default_precision(engine.manifest)
    _first_inference(engine, pictures[0])
    print(
        f"{precision}: load and compile {compiled - start:.2f} s, first picture {time.perf_counter() - compiled:.2f} s"
    )
    _print_stages(engine, pictures)
    _print_layers(engine, detector, pictures[0], precision, args.threads)
    _print_reading(engine, detector, precision)
    if args.rapidocr:
        _print_rapidocr(args, model, pictures)
    curve = _print_curve(engine)
    print(f"peak memory of this process {_peak_megabytes():.0f} MB")
    return curve


def _first_inference(engine: "OpenVinoEngine", picture: "Image") -> None:
    from text_spotting.runtime.spotter import Spotter

    Spotter(engine)(picture)


def _print_stages(engine: "OpenVinoEngine", pictures: "list[Image]") -> None:
    from statistics import mean

    from text_spotting.runtime.measure import stages

    measured = [stages(engine, picture, repeats=3) for picture in pictures]
    print(f"{'words':>7} {'prepare':>9} {'detect':>9} {'read':>9} {'finish':>9} {'total':>9}  (ms, means of medians)")
    columns = [
        mean(getattr(one, name) for one in measured) for name in ("prepare", "detect", "read", "finish", "total")
    ]
    print(f"{mean(one.words for one in measured):7.1f} " + " ".join(f"{1000 * value:9.1f}" for value in columns))


def _print_layers(engine: "OpenVinoEngine", detector: Path, picture: "Image", precision: str, threads: int) -> None:
    from text_spotting.preprocess import fit_to_input
    from text_spotting.runtime.measure import layer_times, matrix_peak

    times = layer_times(detector, fit_to_input(picture, engine.manifest)[0], precision, threads)
    print("detector layers: " + ", ".join(f"{kind} {spent:.1f} ms" for kind, spent in times.by_kind[:8]))
    print(
        f"dense convolutions on the whole picture: {times.convolution_gflops:.2f} GFLOP in"
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


def _print_rapidocr(args: argparse.Namespace, model: Path, pictures: "list[Image]") -> None:
    from statistics import mean

    from text_spotting.runtime.measure import timed
    from text_spotting.runtime.spotter import Spotter

    try:
        from rapidocr import EngineType, RapidOCR
    except ImportError as error:
        raise UserError(f"--rapidocr needs the package rapidocr ({error}); install it: pip install rapidocr") from error
    engine = EngineType.OPENVINO
    other = RapidOCR(
        params={
            "Global.log_level": "error",
            "Det.engine_type": engine,
            "Cls.engine_type": engine,
            "Rec.engine_type": engine,
            "EngineConfig.openvino.inference_num_threads": args.threads or -1,
        }
    )
    ours = Spotter(model, precision=args.precision, threads=args.threads)
    # Picture by picture in turn, so that whatever else the machine does slows both alike.
    theirs_call = partial(other, return_word_box=True)
    pairs = [(timed(partial(ours, p), 3), timed(partial(theirs_call, p), 3)) for p in pictures]
    mine, theirs = (mean(side) for side in zip(*pairs, strict=True))
    print(
        f"whole pictures: {1000 * mine:.0f} ms; RapidOCR with word boxes {1000 * theirs:.0f} ms,"
        f" {theirs / mine:.1f} times as long"
    )


def _print_curve(engine: "OpenVinoEngine") -> Curve:
    """Time whole pictures with more and more words."""
    from text_spotting.runtime.measure import lettered_image, stages

    measured = [stages(engine, lettered_image(count), repeats=3) for count in WORDS]
    points = [(one.words, 1000 * one.total) for one in measured]
    print("whole picture by words found: " + ", ".join(f"{words} {spent:.1f} ms" for words, spent in points))
    width, height = engine.manifest.input_size
    return Curve(width * height / 1e6, points)


def _plot(curves: dict[str, Curve], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (by_words, by_pixels) = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for name, curve in curves.items():
        by_words.plot(*zip(*curve.points, strict=True), marker="o", label=name)
        by_pixels.scatter(curve.megapixels, curve.points[0][1])
    by_words.set(xlabel="words in the picture", ylabel="ms", ylim=(0, None), title="time against words")
    by_pixels.set(xlabel="input, megapixels", xlim=(0, None), ylim=(0, None), title="time against pixels, no words")
    by_words.legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    print(f"{path} drawn")


def _peak_megabytes() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
