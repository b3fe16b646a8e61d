"""Quantize a model to INT8 with your own images, and report what it gains and loses."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.cli.path_flags import add_paths
from text_spotting.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from text_spotting.annotations.records import AnnotatedImage
    from text_spotting.words import FloatArray, Word

METRICS = ("f1", "word_spotting")
NOT_OFFERED = ("sparsity", "pruning", "binarization")
ENOUGH_IMAGES = 300
"""Calibration images that NNCF advises; more hardly change the ranges of activations."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    add_paths(parser, "--train-ann-files", "comma-separated annotation files to calibrate with", required=True)
    add_paths(parser, "--train-data-roots", "comma-separated image folders, one for each file", required=True)
    add_paths(parser, "--val-ann-files", "comma-separated annotation files to measure accuracy on", required=True)
    add_paths(parser, "--val-data-roots", "comma-separated image folders, one for each file", required=True)
    weights = parser.add_mutually_exclusive_group(required=True)
    weights.add_argument(
        "--load-weights", type=Path, metavar="FILE", help="snapshot (.pth) or exported IR (.xml, .bin)"
    )
    weights.add_argument("--resume-from", dest="load_weights", type=Path, help=argparse.SUPPRESS)
    parser.add_argument(
        "--save-model-to", "--save-checkpoints-to", type=Path, required=True, metavar="DIR", help="folder for the IRs"
    )
    parser.add_argument("--nncf-quantization", action="store_true", help="quantize to INT8 (what this tool does)")
    for name in NOT_OFFERED:
        parser.add_argument(f"--nncf-{name}", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(
        "--max-drop", type=float, default=0.5, metavar="POINTS", help="points of f1 or word spotting that may be lost"
    )
    parser.add_argument(
        "--subset-size",
        type=int,
        default=ENOUGH_IMAGES,
        metavar="N",
        help=f"calibration images (default: {ENOUGH_IMAGES})",
    )
    parser.add_argument("--trust-snapshot", action="store_true", help="load a snapshot that holds more than weights")
    parser.add_argument("--config", type=Path, help=argparse.SUPPRESS)
    for name, kind in (("gpu-num", int), ("tensorboard-dir", str), ("batch-size", int)):
        parser.add_argument(f"--{name}", type=kind, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> None:
    """Check, calibrate, search for the fastest level that is accurate enough, write and report."""
    _check(args)
    if not args.nncf_quantization:
        print(
            "warning: no way of compressing was chosen, so nothing was done; give --nncf-quantization", file=sys.stderr
        )
        return
    from text_spotting.annotations.dataset_file import read_datasets

    calibration = read_datasets(args.train_ann_files, args.train_data_roots)[: args.subset_size]
    validation = read_datasets(args.val_ann_files, args.val_data_roots)
    if not calibration or not validation:
        raise UserError("--train-ann-files and --val-ann-files must both hold images")
    _compress(args, calibration, validation)


def _check(args: argparse.Namespace) -> None:
    for name in NOT_OFFERED:
        if getattr(args, f"nncf_{name}"):
            raise UserError(f"--nncf-{name} is not offered: only INT8 quantization is; use --nncf-quantization")
    if args.subset_size < 1:
        raise UserError(f"--subset-size {args.subset_size}: must be 1 or more")
    if args.max_drop < 0:
        raise UserError(f"--max-drop {args.max_drop}: must be 0 or more")
    if not args.load_weights.is_file():
        raise UserError(f"--load-weights: {args.load_weights} does not exist")
    if args.load_weights.suffix not in (".pth", ".xml", ".bin"):
        raise UserError(f"--load-weights {args.load_weights}: expected a snapshot (.pth) or an IR (.xml, .bin)")


def _compress(
    args: argparse.Namespace, calibration: "list[AnnotatedImage]", validation: "list[AnnotatedImage]"
) -> None:
    import tempfile
    from dataclasses import replace

    from text_spotting.cli.progress import track
    from text_spotting.export import int8
    from text_spotting.export.report import FULL, measure, save_report, speedup
    from text_spotting.runtime.files import find_detector
    from text_spotting.runtime.spotter import Spotter

    if len(calibration) < ENOUGH_IMAGES:
        print(f"warning: {len(calibration)} calibration images; {ENOUGH_IMAGES} or more are advised", file=sys.stderr)
    try:
        args.save_model_to.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(dir=args.save_model_to, prefix=".compress-")
    except OSError as error:
        raise UserError(f"--save-model-to {args.save_model_to}: cannot write there ({error.strerror})") from error
    with scratch as name:
        source = find_detector(_full_precision(args, Path(name)))
        manifest = Spotter(source).manifest
        paths = track([image.path for image in calibration], len(calibration), "calibrating")
        collected = int8.collect(source, manifest, paths)
        before = measure(source, validation, METRICS, _progress, FULL)
        print(f"full precision: {before}")
        best = int8.search(
            lambda level, place: int8.quantize(source, manifest, collected, level, place, _passes),
            lambda place: measure(place, validation, METRICS, _progress),
            before,
            args.max_drop,
            Path(name),
            print,
        )
        after = replace(best.measured, speedup=speedup(best.folder, source, validation))
        for path in sorted(best.folder.iterdir()):
            path.replace(args.save_model_to / path.name)
    save_report(args.save_model_to / "compression.json", best.level.name, before, after)
    print(f"INT8 ({best.level.name}): {after}")
    if best.spread > args.max_drop:
        print(
            f"note: the validation images tell losses to {best.spread:.1f} points at best, so whether a level loses"
            f" --max-drop {args.max_drop} is partly chance; more of them would tell",
            file=sys.stderr,
        )
    if best.largest_drop > args.max_drop:
        raise UserError(
            f"no level loses as little as --max-drop {args.max_drop}; {args.save_model_to} holds the best,"
            f" which loses {best.largest_drop:.2f} points: calibrate with more images or allow more"
        )


def _progress(found: "Iterator[list[Word]]", images: int) -> "Iterator[list[Word]]":
    from text_spotting.cli.progress import track

    return track(found, images, "measuring")


def _passes(inputs: "Sequence[FloatArray]", graph: str) -> "Iterator[FloatArray]":
    from text_spotting.cli.progress import track

    return track(inputs, len(inputs), f"quantizing the {graph}", "input")


def _full_precision(args: argparse.Namespace, scratch: Path) -> Path:
    """The IR to start from: the one given, or a fresh export of the snapshot."""
    if args.load_weights.suffix != ".pth":
        return Path(args.load_weights)
    from text_spotting.engine.torch_spotter import load_network
    from text_spotting.export.export import ExportOptions, export, plain_manifest
    from text_spotting.workdir.paths import load_work_config

    config = load_work_config(args.config)
    network = load_network(config, args.load_weights, args.trust_snapshot)
    export(network, plain_manifest(config), scratch / "full", ExportOptions(onnx=False))
    return scratch / "full"
