"""Pack photos and words of "COCO with text" files into shards for train_on_card.py; held-back tenths are left out."""

import argparse
import random
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from text_spotting.cli.progress import track
from text_spotting.cli.sizes import size
from text_spotting.errors import UserError

if TYPE_CHECKING:
    from text_spotting.annotations.records import AnnotatedImage
    from text_spotting.gpu.shards import Packed

Item = TypeVar("Item")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--output", type=Path, required=True, help="folder for photos_NN.zip and words_NN.zip")
    parser.add_argument(
        "--photos",
        type=photo_set,
        nargs="+",
        default=[],
        metavar="NAME=FILE[@WIDTHxHEIGHT]",
        help="sets of whole photos, with the size that they have by rights if they are stored squeezed",
    )
    parser.add_argument("--words", nargs="+", default=[], metavar="NAME=FILE", help="photos to cut words out of")
    parser.add_argument(
        "--crops",
        nargs="+",
        default=[],
        metavar="NAME=FILE,PHOTOS",
        help="images of single words, left out where their photo, in the file PHOTOS, is held back",
    )
    parser.add_argument(
        "--all-crops", nargs="+", default=[], metavar="NAME=FILE", help="images of single words of a training part"
    )
    parser.add_argument("--limit", type=float, default=40, help="MiB a shard (default: 40)")
    parser.add_argument("--quality", type=int, default=88, help="of WebP, 1 to 100 (default: 88)")


def photo_set(entry: str) -> tuple[str, tuple[int, int] | None]:
    """Parse ``NAME=FILE`` and the size in pixels that may follow after an ``@``."""
    squeezed = re.fullmatch(r"(.+)@(\d+x\d+)", entry)
    return (squeezed[1], size(squeezed[2])) if squeezed else (entry, None)


def run(args: argparse.Namespace) -> None:
    """Read all sets first, then write."""
    if args.limit <= 0 or not 1 <= args.quality <= 100:
        raise UserError("--limit must be above 0, --quality from 1 to 100")
    photo_sets = [_photos(*entry) for entry in args.photos]
    word_sets = [
        *(_words(entry, _of_photos) for entry in args.words),
        *(_words(entry, _of_crops) for entry in args.crops),
        *(_words(entry, _read) for entry in args.all_crops),
    ]
    if not photo_sets + word_sets:
        raise UserError("nothing to pack: give --photos, --words, --crops or --all-crops")
    if lying := sorted(args.output.glob("*.zip")):
        raise UserError(f"{args.output} holds {lying[0].name} already; remove it or choose another --output")
    _pack(args, "photos", mixed(photo_sets, 0), sum(len(images) for images, _ in photo_sets), "image")
    _pack(args, "words", _shuffled(word_sets), None, "word")


Set = tuple[list["AnnotatedImage"], Callable[[Iterable["AnnotatedImage"]], Iterator["Packed"]]]
"""Images to train on and what makes records of them."""


def _photos(entry: str, squeezed: tuple[int, int] | None) -> Set:
    from functools import partial

    from text_spotting.gpu.packing import photos

    name, file = _named(entry)
    return _of_photos(file), partial(photos, name, size=squeezed)


def _words(entry: str, read: Callable[[str], list["AnnotatedImage"]]) -> Set:
    from functools import partial

    from text_spotting.gpu.packing import single_words

    name, file = _named(entry)
    return read(file), partial(single_words, name)


def _named(entry: str) -> tuple[str, str]:
    name, mark, file = entry.partition("=")
    if not (name and mark and file) or "@" in name:
        raise UserError(f"{entry}: a set is given as NAME=FILE")
    return name, file


def _read(file: str) -> list["AnnotatedImage"]:
    from text_spotting.annotations.dataset_file import read_datasets

    return read_datasets([file], [str(Path(file).parent)])


def _of_photos(file: str) -> list["AnnotatedImage"]:
    from text_spotting.annotations.held_back import split_held_back

    return split_held_back(_read(file))[0]


def _of_crops(files: str) -> list["AnnotatedImage"]:
    from text_spotting.annotations.held_back import split_crops
    from text_spotting.files.reading import natural_key

    crops, mark, photos = files.partition(",")
    if not mark:
        raise UserError(f"{files}: crops are given as NAME=FILE,PHOTOS")
    ordered = (sorted(_read(file), key=lambda image: natural_key(image.path)) for file in (crops, photos))
    return split_crops(*ordered)[0]


def mixed(sets: list[Set], seed: int) -> Iterator["Packed"]:
    """Records of all sets in random order of the sets, so that a shard has of each; never more than one is held."""
    from text_spotting.gpu.shards import Packed

    sources: list[Iterator[Packed]] = [make(images) for images, make in sets]
    order = [index for index, (images, _) in enumerate(sets) for _ in images]
    random.Random(seed).shuffle(order)
    for index in order:
        yield from _one(sources[index])


def _one(source: Iterator[Item]) -> Iterator[Item]:
    for item in source:
        yield item
        return


def _shuffled(sets: list[Set]) -> list["Packed"]:
    """All words in random order; they are small."""
    made = [record for images, make in sets for record in make(track(images, len(images), "reading words"))]
    random.Random(1).shuffle(made)
    return made


def _pack(args: argparse.Namespace, stem: str, records: Iterable["Packed"], total: int | None, unit: str) -> None:
    from collections import Counter

    from text_spotting.gpu.shards import write_shards

    packed: Counter[str] = Counter()

    def counted() -> Iterator["Packed"]:
        for record in track(records, total, f"packing {stem}", unit):
            packed[record.source] += 1
            yield record

    paths = write_shards(counted(), args.output, stem, int(args.limit * 2**20), args.quality)
    for path in paths:
        print(f"{path}: {path.stat().st_size / 2**20:.1f} MiB")
    print(f"{stem}: " + (", ".join(f"{count} {source}" for source, count in packed.items()) or "none"))
