"""Measure how fast synthetic scenes and words are drawn, on one core."""

import argparse
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from text_spotting.errors import UserError

TRDG = """\
import sys, time
from trdg.generators import GeneratorFromStrings
count, texts = int(sys.argv[1]), sys.argv[2].split()
words = GeneratorFromStrings(texts, count=2 * count, size=40, blur=2, random_blur=True, skewing_angle=8,
                             random_skew=True, background_type=0, distorsion_type=1)
for _ in range(count):
    next(words)
wall, cpu = time.perf_counter(), time.process_time()
for _ in range(count):
    next(words)
print("MEASURED", time.perf_counter() - wall, time.process_time() - cpu)
"""
"""What the other tool is measured by: single words 40 pixels tall, with its noise, blur, skew and distortion on."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument(
        "--pictures", type=int, default=200, help="scenes to draw, after as many to warm up (default: 200)"
    )
    parser.add_argument("--words", type=int, default=12, help="words on each scene (default: 12)")
    parser.add_argument("--size", type=int, nargs=2, default=(640, 384), metavar=("W", "H"), help="(default: 640 384)")
    parser.add_argument(
        "--crops", type=int, default=5000, help="single words, after as many to warm up (default: 5000)"
    )
    parser.add_argument("--backgrounds", type=Path, metavar="DIR", help="photos to write on; made-up places otherwise")
    parser.add_argument(
        "--trdg-python",
        type=Path,
        metavar="PYTHON",
        help="interpreter that has trdg installed: measure its words as well",
    )


def run(args: argparse.Namespace) -> None:
    """Print one row a generator: items per second of processor time and of wall time."""
    import cv2

    from text_spotting.synth.generate import SceneGenerator, SceneOptions, WordGenerator, WordOptions

    if min(args.pictures, args.crops, args.words) < 1:
        raise UserError("--images, --crops and --words must be 1 or more")
    if args.trdg_python and not args.trdg_python.is_file():
        raise UserError(f"--trdg-python {args.trdg_python}: no such interpreter")
    cv2.setNumThreads(1)
    width, height = args.size
    options = SceneOptions(size=(width, height), words=(args.words, args.words), backgrounds=args.backgrounds)
    scenes, words = SceneGenerator(options), WordGenerator(WordOptions(backgrounds=args.backgrounds))
    print(f"{'':<34}{'per second of one core':>24}{'per second by the clock':>26}")
    _row(f"scenes {width}x{height}, {args.words} words", *_measure(scenes, args.pictures))
    _row("single words", *_measure(words, args.crops))
    if args.trdg_python:
        _row("single words, trdg", *_trdg(args.trdg_python, max(1, args.crops // 10)))


def _row(name: str, per_core: float, per_clock: float) -> None:
    print(f"{name:<34}{per_core:>24.1f}{per_clock:>26.1f}", flush=True)


def _measure(generator: Callable[[int], object], count: int) -> tuple[float, float]:
    """Items per second of processor time and of wall time, with caches as warm as ``count`` items make them."""
    for number in range(count):
        generator(number)
    wall, cpu = time.perf_counter(), time.process_time()
    for number in range(count, 2 * count):
        generator(number)
    return count / (time.process_time() - cpu), count / (time.perf_counter() - wall)


def _trdg(python: Path, count: int) -> tuple[float, float]:
    import random

    from text_spotting.synth.corpus import word

    rng = random.Random(0)
    texts = " ".join(word(rng, 0.0) for _ in range(2 * count))
    child = subprocess.run([python, "-c", TRDG, str(count), texts], capture_output=True, text=True, check=False)
    measured = [line.split() for line in child.stdout.splitlines() if line.startswith("MEASURED")]
    if not measured:
        reason = (child.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise UserError(f"--trdg-python {python}: trdg did not run there: {reason}")
    wall, cpu = (float(value) for value in measured[0][1:])
    return count / cpu, count / wall
