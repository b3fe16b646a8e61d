"""Draw labelled synthetic scene-text images: images/ and an annotation.json in "COCO with text".

The same seed gives the same images whatever the number of workers, as long as the same fonts and photos are there.
A run that was interrupted goes on where it ended; a larger --count adds to what is there.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.alphabet import READY
from text_spotting.cli.progress import track
from text_spotting.cli.sizes import size
from text_spotting.errors import UserError

if TYPE_CHECKING:
    from text_spotting.synth.generate import SceneOptions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the data set")
    parser.add_argument("--count", type=int, default=1000, help="images to draw (default: 1000); 0: only --preview")
    parser.add_argument("--seed", type=int, default=0, help="number of the first image (default: 0)")
    parser.add_argument("--size", type=size, default=(640, 384), metavar="WxH", help="(default: 640x384)")
    parser.add_argument(
        "--words",
        nargs="+",
        action="append",
        default=[],
        metavar="FILE | LEAST MOST",
        help="a UTF-8 file of words to write mostly; or the least and most words per image (default: 4 20); "
        "may be given twice, once for each",
    )
    parser.add_argument(
        "--alphabet",
        metavar="NAME|SYMBOLS",
        help=f"what texts are written in: {', '.join(READY)}, or the symbols themselves (default: alphanumeric)",
    )
    parser.add_argument(
        "--height", type=int, nargs=2, metavar=("LEAST", "MOST"), help="height of the letters in pixels (default: 9 72)"
    )
    parser.add_argument("--dense", action="store_true", help="pack the images with 40 to 60 words")
    parser.add_argument("--clutter", type=float, help="how much besides readable words: 0 none, 1 usual (default: 1)")
    parser.add_argument("--tilt", type=float, help="how far signs and camera lean: 0 level, 1 usual (default: 1)")
    parser.add_argument("--harshness", type=float, help="how much the camera spoils: 0 nothing, 1 usual (default: 1)")
    parser.add_argument("--on-walls", type=float, help="share of signs on the walls of made-up places (default: 0.9)")
    parser.add_argument("--handwritten", type=float, help="share of signs that are written by hand (default: 0)")
    parser.add_argument("--backgrounds", type=Path, metavar="DIR", help="photos to write on, best without text")
    parser.add_argument("--host", type=Path, metavar="FILE", help="COCO with text: labelled images to write on as well")
    parser.add_argument("--host-root", type=Path, metavar="DIR", help="folder of the --host images")
    parser.add_argument(
        "--word-crops", type=Path, metavar="LIST", help="real word crops to blend in: a list or its folder"
    )
    parser.add_argument(
        "--fonts", type=Path, nargs="+", default=(), metavar="DIR", help="use only these folders' fonts"
    )
    parser.add_argument("--chars", action="store_true", help="note the place of every character too")
    parser.add_argument("--quality", type=int, default=92, help="JPEG quality of the files (default: 92)")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw (default: 1)")
    parser.add_argument(
        "--preview", type=int, default=0, metavar="N", help="put the first N on DIR/preview.jpg, plain and outlined"
    )


def run(args: argparse.Namespace) -> None:
    """Draw the images, then the contact sheet."""
    _check(args)
    options = _options(args)
    if args.count:
        _write(args, options)
    if args.preview:
        _preview(args, options)


def _check(args: argparse.Namespace) -> None:
    for flag, least in (("count", 0), ("workers", 1), ("preview", 0)):
        if getattr(args, flag) < least:
            raise UserError(f"--{flag} {getattr(args, flag)}: must be {least} or more")
    if min(args.size) < 64:
        raise UserError(f"--size {args.size[0]}x{args.size[1]}: both sides must be 64 pixels or more")
    if not 1 <= args.quality <= 100:
        raise UserError(f"--quality {args.quality}: must lie between 1 and 100")
    for flag, most in (("clutter", 2), ("tilt", 2), ("harshness", 2), ("on_walls", 1), ("handwritten", 1)):
        amount = getattr(args, flag)
        if amount is not None and not 0 <= amount <= most:
            raise UserError(f"--{flag.replace('_', '-')} {amount}: must lie between 0 and {most}")
    for flag, pair in (("words", _words(args)[1]), ("height", args.height)):
        if pair and not 1 <= pair[0] <= pair[1]:
            raise UserError(f"--{flag} {pair[0]} {pair[1]}: the first number must be 1 or more, the second no less")
    if args.host_root and not args.host:
        raise UserError("--host-root belongs to --host; give both")
    for flag in ("backgrounds", "host_root"):
        folder = getattr(args, flag)
        if folder and not folder.is_dir():
            raise UserError(f"--{flag.replace('_', '-')} {folder}: no such folder")


def _words(args: argparse.Namespace) -> tuple[Path | None, tuple[int, int] | None]:
    """The word list and the range of words per image that ``--words`` names, each where it was given."""
    listed, count = None, None
    for values in args.words:
        if len(values) == 2 and all(value.isdigit() for value in values):
            count = int(values[0]), int(values[1])
        elif len(values) == 1 and not values[0].isdigit():
            listed = Path(values[0])
        else:
            raise UserError(f"--words {' '.join(values)}: expected a file of words, or two numbers LEAST MOST")
    return listed, count


def _alphabet(args: argparse.Namespace) -> dict[str, str] | None:
    if args.alphabet is None:
        return None
    return {"name": args.alphabet} if args.alphabet in READY else {"symbols": args.alphabet}


def _options(args: argparse.Namespace) -> "SceneOptions":
    from dataclasses import replace

    from text_spotting.synth.generate import DENSE, SceneOptions

    word_list, count = _words(args)
    chosen = {
        "size": args.size,
        "words": count,
        "word_list": word_list,
        "alphabet": _alphabet(args),
        "height": tuple(args.height) if args.height else None,
        "clutter": args.clutter,
        "tilt": args.tilt,
        "on_walls": args.on_walls,
        "harshness": args.harshness,
        "handwritten": args.handwritten,
        "backgrounds": args.backgrounds,
        "hosts": args.host,
        "hosts_root": args.host_root,
        "word_crops": args.word_crops,
        "fonts": tuple(args.fonts),
    }
    given = {name: value for name, value in chosen.items() if value is not None}
    return replace(DENSE if args.dense else SceneOptions(), **given)


def _write(args: argparse.Namespace, options: "SceneOptions") -> None:
    from text_spotting.synth.writing import ANNOTATION, Job, write

    job = Job(args.output, options, args.count, args.seed, args.quality, chars=args.chars)
    images = (None for added in write(job, args.workers) for _ in range(added))
    for _ in track(images, args.count, "drawing"):
        pass
    print(f"{args.output / ANNOTATION}: {args.count} images")


def _preview(args: argparse.Namespace, options: "SceneOptions") -> None:
    from text_spotting.draw import Outcome, draw_outcomes
    from text_spotting.image_files import write_image
    from text_spotting.synth.generate import SceneGenerator
    from text_spotting.synth.preview import contact_sheet

    generator = SceneGenerator(options)
    rows = []
    for number in track(range(args.preview), args.preview, "preview"):
        scene = generator(args.seed + number)
        outcomes = [(word, Outcome.IGNORED if word.ignore else Outcome.RIGHT) for word in scene.words]
        rows.append((scene.image, draw_outcomes(scene.image, outcomes)))
    path = write_image(args.output / "preview.jpg", contact_sheet([image for row in rows for image in row]))
    print(f"{path}: {args.preview} images, each plain and with its labels")
