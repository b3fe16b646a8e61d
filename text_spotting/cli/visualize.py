"""Find and read words in images or video with an exported model, and show, draw or save them."""

import argparse
from dataclasses import replace
from pathlib import Path

from text_spotting.cli.limits import add_limits
from text_spotting.errors import UserError

AUTO = "auto"
"""As often as the machine can."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        "--load-weights", type=Path, required=True, help="exported model: .xml, .bin, .onnx or its folder"
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--video",
        metavar="SOURCE",
        help="camera index or /dev/videoN, video file, frame_%%03d.png, URL, or GStreamer pipeline",
    )
    source.add_argument("--images", metavar="SOURCE", help="image, folder or glob pattern")
    parser.add_argument("--output", type=Path, help="drawn result: a folder for images, .mp4, .mkv or .avi for video")
    parser.add_argument("--save-json", type=Path, metavar="FILE", help="words found, by image or frame")
    parser.add_argument(
        "--save-annotations",
        type=Path,
        metavar="FILE",
        help="words found in --images as COCO with text, to correct by hand",
    )
    parser.add_argument("--serve", metavar="[HOST:]PORT", help="show the video in a browser (host: 127.0.0.1)")
    parser.add_argument(
        "--reconnect",
        type=int,
        nargs="?",
        const=10,
        default=0,
        metavar="N",
        help="open a live source that stops again, up to N times in a row (default: 0; N: 10)",
    )
    parser.add_argument("--loop", action="store_true", help="begin a video file anew when it ends")
    parser.add_argument("--no-show", action="store_true", help="open no window (implied where there is no screen)")
    parser.add_argument(
        "--every",
        type=_every,
        metavar=f"N|{AUTO}",
        help="look for words in every Nth frame and follow them through the others; auto: as often as the machine can "
        "while the video plays at its own pace (default: auto for what comes live, 1 for files)",
    )
    parser.add_argument("--no-track", action="store_true", help="show every frame's own reading")
    parser.add_argument(
        "--tiles",
        default="none",
        metavar="auto|none",
        help="auto: read images much larger than the model's input tile by tile too; takes longer (default: none)",
    )
    parser.add_argument(
        "--score", type=float, metavar="S", help="least score of a word, 0..1 (default: what the model was made with)"
    )
    add_limits(parser)
    parser.add_argument("--device", default="CPU", help="OpenVINO device (default: CPU)")
    parser.add_argument(
        "--precision", help="arithmetic: f32, bf16, f16, or int8 where the model has it (default: the fastest here)"
    )
    parser.add_argument("--cache-dir", type=Path, metavar="DIR", help="keep compiled models there to start faster")
    parser.add_argument("--config", help=argparse.SUPPRESS)


def _every(text: str) -> int | str:
    if text == AUTO:
        return text
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of frames from 1 on nor {AUTO}")
    return int(text)


def run(args: argparse.Namespace) -> None:
    """Check, load, and go through the images or the video."""
    _check(args)
    from text_spotting.runtime.spotter import Spotter

    spotter = Spotter(
        args.load_weights,
        args.device,
        args.precision,
        cache_dir=args.cache_dir,
        allow=args.allow,
        lexicon=args.lexicon,
    )
    if args.score is not None:
        manifest = spotter.manifest
        spotter.manifest = replace(manifest, word_thr=args.score, score_thr=min(manifest.score_thr, args.score))
    if args.images is not None:
        from text_spotting.cli.visualize_images import run_images
        from text_spotting.runtime.tiles import TiledSpotter, parse_tiles

        size = spotter.manifest.input_size
        run_images(args, TiledSpotter(spotter, size) if parse_tiles(args.tiles) else spotter, size)
    else:
        from text_spotting.cli.visualize_video import run_video

        run_video(args, spotter)


def _check(args: argparse.Namespace) -> None:
    from text_spotting.files.writing import require_writable

    if args.tiles not in ("auto", "none"):
        raise UserError(f"--tiles {args.tiles}: expected auto or none")
    if args.tiles != "none" and args.images is None:
        raise UserError("--tiles needs --images: a video's frames are read as they come")
    if args.score is not None and not 0 <= args.score <= 1:
        raise UserError(f"--score {args.score}: must lie between 0 and 1")
    if args.save_annotations and args.images is None:
        raise UserError("--save-annotations needs --images: annotations belong to image files")
    if args.every is not None and args.video is None:
        raise UserError("--every needs --video: images are all looked at")
    if args.every is not None and args.no_track:
        raise UserError("--no-track looks for words in every frame: leave --every out")
    if args.serve and args.video is None:
        raise UserError("--serve needs --video")
    if args.loop and not args.serve and args.no_show:
        raise UserError("--loop needs someone who looks: give --serve, or leave --no-show out")
    for option, path in (("save_json", args.save_json), ("save_annotations", args.save_annotations)):
        if path:
            require_writable(path, option)
    if args.output and args.images is not None:
        require_writable(args.output / "image", "output")
