"""Export a trained model as ONNX and OpenVINO IR, proven equal to it on a test image."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.cli.sizes import size
from text_spotting.errors import UserError

if TYPE_CHECKING:
    from text_spotting.export.export import Exported, ExportOptions

COLOR_ORDERS = ("BGR", "RGB")
MOST_WORDS = 2000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("--load-weights", type=Path, required=True, metavar="FILE", help="snapshot (.pth) to export")
    parser.add_argument("--save-model-to", type=Path, required=True, metavar="DIR", help="folder for the graphs")
    formats = "(default: as template.yaml says, else yes)"
    parser.add_argument("--onnx", action=argparse.BooleanOptionalAction, help=f"write .onnx files {formats}")
    parser.add_argument("--openvino", action=argparse.BooleanOptionalAction, help=f"write .xml and .bin {formats}")
    parser.add_argument(
        "--openvino-input-format",
        choices=COLOR_ORDERS,
        help="color order of the images that the IR takes (default: as template.yaml says, else BGR)",
    )
    parser.add_argument("--input-size", type=size, metavar="WxH", help="input size (default: as in training)")
    parser.add_argument(
        "--max-words", type=int, metavar="N", help="most words of an image that are found (default: as in model.py)"
    )
    parser.add_argument("--fp16", action="store_true", help="store the IR's weights in half precision: half the size")
    parser.add_argument("--trust-snapshot", action="store_true", help="load a snapshot that holds more than weights")
    parser.add_argument("--openvino-mo-args", help=argparse.SUPPRESS)
    parser.add_argument("--config", type=Path, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> None:
    """Load, trace, convert, compare, and only then write."""
    options = _resolve(args)
    if not (options.onnx or options.openvino):
        raise UserError("--no-onnx and --no-openvino leave nothing to export; drop one of them")
    if args.max_words is not None and not 1 <= args.max_words <= MOST_WORDS:
        raise UserError(f"--max-words {args.max_words}: must lie between 1 and {MOST_WORDS}")
    if args.openvino_mo_args:
        print("--openvino-mo-args is accepted for old scripts and ignored: there is no Model Optimizer any more")
    from text_spotting.engine.torch_spotter import load_network
    from text_spotting.export.export import export, plain_manifest
    from text_spotting.workdir.config import limit_words
    from text_spotting.workdir.paths import load_work_config

    config = load_work_config(args.config)
    if args.max_words is not None:
        limit_words(config, args.max_words)
    manifest = plain_manifest(config, args.input_size)
    network = load_network(config, args.load_weights, args.trust_snapshot)
    _report(export(network, manifest, args.save_model_to, options))


def _resolve(args: argparse.Namespace) -> "ExportOptions":
    """Fill what the command line leaves open from the work dir's template."""
    from text_spotting.export.export import ExportOptions
    from text_spotting.workdir.paths import beside_script

    work_dir = beside_script()
    output = work_dir.template.output_format if work_dir else None
    return ExportOptions(
        onnx=_first(args.onnx, output.onnx.default if output else True),
        openvino=_first(args.openvino, output.openvino.default if output else True),
        input_order=args.openvino_input_format or (output.openvino.input_format if output else COLOR_ORDERS[0]),
        fp16=args.fp16,
    )


def _first(chosen: bool | None, default: bool) -> bool:
    return default if chosen is None else chosen


def _report(exported: "Exported") -> None:
    for path in exported.files:
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")
    for back_end, agreement in exported.agreements.items():
        differences = ", ".join(f"{name} {value:.1e}" for name, value in agreement.differences.items())
        print(f"{back_end} = PyTorch on {agreement.words} detections of a test image; largest differences:")
        print(f"  {differences}")
