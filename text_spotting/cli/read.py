"""Read the words of photos: files, folders, URLs, or - for standard input."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from text_spotting.cli.limits import add_limits
from text_spotting.errors import UserError

if TYPE_CHECKING:
    from text_spotting.result.found import Words
    from text_spotting.runtime.spotter import Spotter

STANDARD_INPUT = "-"
FORMATS = ("text", "json", "jsonl", "csv", "tsv", "hocr", "icdar")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="image file, folder, pattern, URL, or - for stdin")
    parser.add_argument("--recursive", action="store_true", help="folders with all that lies below them")
    parser.add_argument("--format", choices=FORMATS, default="text", help="what is written (default: text)")
    parser.add_argument(
        "--output", type=Path, metavar="FILE|DIR", help="write there rather than print; a folder with --format icdar"
    )
    parser.add_argument("--draw", type=Path, metavar="DIR", help="folder for images with the words drawn")
    parser.add_argument("--score", type=score, metavar="0..1", help="least score of a word (default: the model's own)")
    add_limits(parser)
    parser.add_argument("--model", type=Path, help="exported model, or its folder (default: the model in the box)")
    parser.add_argument("--device", default="CPU", help="OpenVINO device (default: CPU)")
    parser.add_argument(
        "--precision", help="arithmetic: f32, bf16, f16, or int8 where the model has it (default: the fastest here)"
    )
    parser.add_argument("--threads", type=int, default=0, help="cores to use (default: all)")


def score(text: str) -> float:
    """Parse a number from 0 to 1."""
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 1")
    return value


def run(args: argparse.Namespace) -> None:
    """Check, load, read, and write what was found as it comes.

    Raises:
        UserError: nothing to read, or, once all the others are done, images that could not be read.
    """
    sources = _sources(args)
    _check(args, len(sources))
    from text_spotting.runtime.spotter import Spotter

    spotter = Spotter(
        args.model,
        args.device,
        args.precision,
        threads=args.threads,
        min_score=args.score,
        allow=args.allow,
        lexicon=args.lexicon,
    )
    unreadable: list[str] = []
    names = file_names(sources)
    _write(args, _read(args, spotter, names, unreadable), names)
    if unreadable:
        raise UserError(f"{len(unreadable)} of {len(sources)} images could not be read: {'; '.join(unreadable[:3])}")


def _sources(args: argparse.Namespace) -> list[str]:
    from text_spotting.images import URL_SCHEMES
    from text_spotting.runtime.sources import find_images

    found: list[str] = []
    for source in args.sources:
        if source == STANDARD_INPUT or source.startswith(URL_SCHEMES):
            found.append(source)
        else:
            recursive = args.recursive and Path(source).is_dir()
            found += map(str, find_images(f"{source}/**/*" if recursive else source))
    return found


def _check(args: argparse.Namespace, count: int) -> None:
    from text_spotting.files.writing import require_writable

    if args.format == "icdar" and count > 1 and not args.output:
        raise UserError(f"--format icdar has no place for the names of {count} images: give a folder with --output")
    if args.output:
        require_writable(args.output / "name" if args.format == "icdar" else args.output, "output")
    if args.draw:
        require_writable(args.draw / "name", "draw")


def _read(
    args: argparse.Namespace, spotter: "Spotter", names: dict[str, str], unreadable: list[str]
) -> "Iterator[tuple[str, Words]]":
    """What each image is called, and its words; those that cannot be read are noted and passed over."""
    from text_spotting.cli.progress import track

    follow: Any = track(names, len(names), "reading", "image") if len(names) > 1 else names
    for source in follow:
        try:
            image = _load(source)
        except UserError as error:
            unreadable.append(str(error))
            continue
        words = spotter(image)
        if args.draw:
            _draw(args.draw / f"{names[source]}.jpg", image, words)
        yield source, words


def _load(source: str) -> Any:
    from text_spotting.images import load_image

    return load_image(sys.stdin.buffer.read() if source == STANDARD_INPUT else source)


def _draw(path: Path, image: Any, words: "Words") -> None:
    from text_spotting.image_files import write_image

    write_image(path, words.draw(image))


def file_names(sources: list[str]) -> dict[str, str]:
    """What files made from the images are called: by their stems, numbered where these are the same."""
    names: dict[str, str] = {}
    for source in sources:
        bare = Path(source.partition("?")[0]) if "://" in source else Path(source)
        stem = "stdin" if source == STANDARD_INPUT else bare.stem or "image"
        candidates = (stem, *(f"{stem}_{number}" for number in range(2, len(sources) + 2)))
        names[source] = next(name for name in candidates if name not in names.values())
    return names


def _write(args: argparse.Namespace, images: "Iterator[tuple[str, Words]]", names: dict[str, str]) -> None:
    from text_spotting.files.writing import write_whole
    from text_spotting.result.formats import FORMATS as WRITERS
    from text_spotting.result.formats import as_named_text

    if args.format == "icdar" and args.output:
        for name, words in images:
            text = "".join(WRITERS["icdar"]([(name, words)]))
            write_whole(args.output / f"res_{names[name]}.txt", text)
        return
    writer = as_named_text if args.format == "text" and len(names) > 1 else WRITERS[args.format]
    pieces = writer(images)
    if args.output:
        write_whole(args.output, "".join(pieces))
        return
    for piece in pieces:
        print(piece, end="", flush=True)
