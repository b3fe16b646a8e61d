"""``visualize --images``: every picture's words drawn, shown, and saved."""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from text_spotting.annotations.dataset_file import write_dataset
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.cli.progress import track
from text_spotting.draw import draw_words
from text_spotting.errors import UserError
from text_spotting.evaluation.predictions import picture_names, write_predictions
from text_spotting.pictures import read_picture, write_picture
from text_spotting.runtime.sinks import Window, has_screen
from text_spotting.runtime.sources import find_pictures
from text_spotting.runtime.spotter import Spotter
from text_spotting.words import Image, Word


@dataclass(frozen=True, slots=True)
class _Result:
    path: Path
    name: str
    picture: Image
    words: list[Word]


def run_pictures(args: argparse.Namespace, spotter: Spotter) -> None:
    """Spot, draw, show and save.

    Raises:
        UserError: nothing to read, or, once all the others are done and saved, pictures that could not be read.
    """
    paths = find_pictures(args.images)
    window = Window(wait=0) if not args.no_show and has_screen() else None
    unreadable: list[str] = []
    words: dict[str, list[Word]] = {}
    annotated: list[AnnotatedImage] = []
    started = time.perf_counter()
    for result in _spot(paths, spotter, unreadable):
        words[result.name] = result.words
        height, width = result.picture.shape[:2]
        annotated.append(AnnotatedImage(result.path, width, height, result.words))
        if (args.output or window) and not _present(result, args.output, window):
            break
    seconds = time.perf_counter() - started
    if args.save_json:
        write_predictions(args.save_json, words)
    if args.save_annotations:
        write_dataset(args.save_annotations, annotated)
    print(f"{len(words)} pictures, {sum(map(len, words.values()))} words, {len(words) / seconds:.1f} pictures/s")
    if unreadable:
        raise UserError(f"{len(unreadable)} of {len(paths)} pictures could not be read: {'; '.join(unreadable[:3])}")


def _spot(paths: list[Path], spotter: Spotter, unreadable: list[str]) -> Iterator[_Result]:
    for path, name in track(list(zip(paths, picture_names(paths), strict=True)), len(paths), "spotting"):
        try:
            picture = read_picture(path)
        except UserError as error:
            unreadable.append(str(error))
            continue
        yield _Result(path, name, picture, spotter(picture))


def _present(result: _Result, folder: Path | None, window: Window | None) -> bool:
    """Write and show one drawn picture; False when the viewer has seen enough."""
    drawn = draw_words(result.picture, result.words)
    if folder:
        write_picture(folder / f"{result.name}{result.path.suffix}", drawn)
    return window is None or window.show(drawn)
