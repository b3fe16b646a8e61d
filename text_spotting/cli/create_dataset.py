"""Convert data sets from their own formats to one COCO-with-text file."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from text_spotting.cli.progress import track
from text_spotting.errors import UserError

if TYPE_CHECKING:
    from text_spotting.annotations.problems import Problems
    from text_spotting.annotations.readers import Reader
    from text_spotting.annotations.records import AnnotatedImage


FORMATS = ("cvat", "icdar-task1", "icdar-task4", "label-studio", "labelme", "ppocr", "yolo-obb")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument(
        "--config", type=Path, required=True, help="JSON list of data sets, such as configs/datasets/*.json"
    )
    parser.add_argument("--root", type=Path, required=True, help="folder that the paths of the config start from")
    parser.add_argument("--output", type=Path, required=True, help="COCO-with-text file to write")
    parser.add_argument("--strict", action="store_true", help="end at the first oddity instead of repairing it")
    parser.add_argument("--shuffle", action="store_true", help="write the images in random order")
    parser.add_argument("--seed", type=int, default=0, help="seed of --shuffle and --val-share (default: 0)")
    parser.add_argument("--val-share", type=float, help="share of the images, 0..1, that go to --val-output instead")
    parser.add_argument("--val-output", type=Path, help="COCO-with-text file for the validation share")
    parser.add_argument(
        "--visualize", type=Path, metavar="DIR", help="draw the words over every image into this folder"
    )
    parser.add_argument("--stats", type=Path, metavar="FILE", help="draw histograms of the words into it, .png or .svg")
    parser.add_argument("--cvat", type=Path, metavar="XML", help="write the words as CVAT for images 1.1 too")
    parser.add_argument(
        "--write",
        action="append",
        default=[],
        metavar="FORMAT=PATH",
        help=f"write the words in another form too, {', '.join(FORMATS)}; may be repeated",
    )


def run(args: argparse.Namespace) -> None:
    """Read every set of the config, write what was asked for, and close with what was odd."""
    from text_spotting.annotations.dataset_file import write_dataset
    from text_spotting.annotations.problems import Problems
    from text_spotting.annotations.readers import make_readers
    from text_spotting.annotations.split import shuffled, train_val_split
    from text_spotting.annotations.statistics import statistics

    _check(args)
    root = args.root.resolve()
    problems = Problems(strict=args.strict)
    images = _read(make_readers(_load_config(args.config), root, str(args.config)), problems)
    if args.shuffle:
        images = shuffled(images, args.seed)
    parts = {args.output: images}
    if args.val_share is not None:
        parts[args.output], parts[args.val_output] = train_val_split(images, args.val_share, args.seed)
    for path, part in parts.items():
        write_dataset(path, part, _start(path, root))
        print(f"{path}: {statistics(part)}")
    _write_extras(args, images, root, problems)
    if len(problems):
        print(f"\n{problems.summary()}")
    problems.raise_unreadable()


def _start(output: Path, root: Path) -> Path | None:
    """Where file names start: the output's folder, or the root where the output lies outside of it."""
    return None if output.resolve().is_relative_to(root) else root


def _check(args: argparse.Namespace) -> None:
    if not args.root.is_dir():
        raise UserError(f"--root {args.root}: no such folder")
    for option in args.write:
        kind, _, path = option.partition("=")
        if kind not in FORMATS or not path:
            raise UserError(f"--write {option}: expected FORMAT=PATH; the formats are {', '.join(FORMATS)}")
    if (args.val_share is None) != (args.val_output is None):
        raise UserError("--val-share and --val-output belong together; give both or neither")
    if args.val_share is not None and not 0 < args.val_share < 1:
        raise UserError(f"--val-share {args.val_share}: must lie between 0 and 1")
    if args.val_output is not None and args.val_output.resolve() == args.output.resolve():
        raise UserError("--output and --val-output are the same file")


def _load_config(path: Path) -> Any:
    if not path.is_file():
        raise UserError(f"--config {path}: no such file; ready ones are in configs/datasets")
    from text_spotting.files.json_files import load_json

    return load_json(path, "--config")


def _read(readers: "Sequence[tuple[str, Reader]]", problems: "Problems") -> "list[AnnotatedImage]":
    images: list[AnnotatedImage] = []
    for name, reader in readers:
        part = list(track(reader.read(problems), None, name))
        words = sum(len(image.words) for image in part)
        print(f"{name}: {len(part)} images, {words} words", flush=True)
        images += part
    if not images:
        raise UserError(f"no usable image in any set of the config\n{problems.table()}".rstrip())
    return images


def _write_extras(
    args: argparse.Namespace, images: "Sequence[AnnotatedImage]", root: Path, problems: "Problems"
) -> None:
    from text_spotting.annotations.cvat import write_cvat
    from text_spotting.annotations.statistics import save_histograms, statistics
    from text_spotting.annotations.writers import WRITERS, names_from

    if args.visualize:
        for image in track(images, len(images), "drawing"):
            _draw(image, root, args.visualize, problems)
    if args.stats:
        save_histograms(statistics(images), args.stats)
    if args.cvat:
        write_cvat(args.cvat, images)
    for option in args.write:
        kind, _, path = option.partition("=")
        WRITERS[kind](Path(path), images, names_from(images))
        print(f"{path}: {kind}")


def _draw(image: "AnnotatedImage", root: Path, folder: Path, problems: "Problems") -> None:
    from text_spotting.draw import Outcome, draw_outcomes
    from text_spotting.image_files import find_by_stem, read_image, write_image

    try:
        scene = read_image(image.path)
    except UserError as error:
        problems.add_unreadable("image cannot be drawn", error)
        return
    outcomes = [(word, Outcome.IGNORED if word.ignore else Outcome.RIGHT) for word in image.words]
    inside = image.path.is_relative_to(root)
    target = folder / (image.path.relative_to(root) if inside else Path(image.path.name))
    twins = find_by_stem(image.path.parent, image.path.stem)
    name = f"{target.name}.jpg" if len(twins) > 1 else f"{target.stem}.jpg"
    write_image(target.with_name(name), draw_outcomes(scene, outcomes))
