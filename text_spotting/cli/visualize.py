"""Find and read words in pictures or video with an exported model, and show, draw or save them."""

import argparse
from pathlib import Path

from text_spotting.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        "--load-weights", type=Path, required=True, help="exported model: .xml, .bin, .onnx or its folder"
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--video", metavar="SOURCE", help="camera index, video file or URL")
    source.add_argument("--images", metavar="SOURCE", help="picture, folder or glob pattern")
    parser.add_argument("--output", type=Path, help="drawn result: a folder for pictures, .mp4, .mkv or .avi for video")
    parser.add_argument("--save-json", type=Path, metavar="FILE", help="words found, by picture or frame")
    parser.add_argument(
        "--save-annotations",
        type=Path,
        metavar="FILE",
        help="words found in --images as COCO with text, to correct by hand",
    )
    parser.add_argument("--serve", metavar="[HOST:]PORT", help="show the video in a browser (host: 127.0.0.1)")
    parser.add_argument("--loop", action="store_true", help="begin a video file anew when it ends")
    parser.add_argument("--no-show", action="store_true", help="open no window (implied where there is no screen)")
    parser.add_argument("--no-track", action="store_true", help="show every frame's own reading")
    parser.add_argument("--device", default="CPU", help="OpenVINO device (default: CPU)")
    parser.add_argument("--precision", help="arithmetic: f32, bf16 or f16 (default: the fastest here)")
    parser.add_argument("--cache-dir", type=Path, metavar="DIR", help="keep compiled models there to start faster")
    parser.add_argument("--config", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> None:
    """Check, load, and go through the pictures or the video."""
    _check(args)
    from text_spotting.runtime.spotter import Spotter

    spotter = Spotter(args.load_weights, args.device, args.precision, cache_dir=args.cache_dir)
    if args.images is not None:
        from text_spotting.cli.visualize_pictures import run_pictures

        run_pictures(args, spotter)
    else:
        from text_spotting.cli.visualize_video import run_video

        run_video(args, spotter)


def _check(args: argparse.Namespace) -> None:
    from text_spotting.evaluation.files import require_writable

    if args.save_annotations and args.images is None:
        raise UserError("--save-annotations needs --images: annotations belong to picture files")
    if args.serve and args.video is None:
        raise UserError("--serve needs --video")
    if args.loop and not args.serve and args.no_show:
        raise UserError("--loop needs someone who looks: give --serve, or leave --no-show out")
    for flag, path in (("--save-json", args.save_json), ("--save-annotations", args.save_annotations)):
        if path:
            require_writable(path, flag)
    if args.output and args.images is not None:
        require_writable(args.output / "picture", "--output")
