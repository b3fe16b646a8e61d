"""``visualize --images``: every image's words drawn, shown, and saved."""

import argparse
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from text_spotting.annotations.dataset_file import write_dataset
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.cli.progress import track
from text_spotting.cli.remarks import Remarks
from text_spotting.draw import draw_words
from text_spotting.errors import PartlyDoneError, UserError
from text_spotting.evaluation.inference import Spotter
from text_spotting.evaluation.predictions import image_names, prediction_records
from text_spotting.files.writing import JsonObjectWriter
from text_spotting.image_files import read_image, write_image
from text_spotting.runtime.sinks import Window, has_screen
from text_spotting.runtime.sources import find_images
from text_spotting.words import Image, Word

SECONDS_BETWEEN_SAVES = 30.0


@dataclass(frozen=True, slots=True)
class _Result:
    path: Path
    name: str
    image: Image
    words: list[Word]


@dataclass(slots=True)
class _Annotations:
    """Results as COCO with text, written now and then, so that a run that is killed loses half a minute."""

    path: Path
    images: list[AnnotatedImage] = field(default_factory=list)
    saved: float = field(default_factory=time.monotonic)

    def add(self, result: _Result) -> None:
        height, width = result.image.shape[:2]
        self.images.append(AnnotatedImage(result.path, width, height, result.words))
        if time.monotonic() - self.saved > SECONDS_BETWEEN_SAVES:
            self.save()

    def save(self) -> None:
        write_dataset(self.path, self.images)
        self.saved = time.monotonic()


def run_images(args: argparse.Namespace, spotter: Spotter, input_size: tuple[int, int]) -> None:
    """Spot, draw, show and save; what is done is on the disk whenever and however the run ends.

    Raises:
        PartlyDoneError: once all the others are done and saved, images that could not be read.
        UserError: nothing to read, or a result cannot be written.
    """
    paths = find_images(args.images)
    window = Window(wait=0) if not args.no_show and has_screen() else None
    broken: list[str] = []
    images = words = 0
    started = time.perf_counter()
    with ExitStack() as outputs:
        remarks = outputs.enter_context(Remarks(input_size if args.tiles == "none" else None))
        results = outputs.enter_context(JsonObjectWriter(args.save_json)) if args.save_json else None
        annotations = _Annotations(args.save_annotations) if args.save_annotations else None
        if annotations:
            outputs.callback(annotations.save)
        for result in _spot(paths, spotter, broken):
            images, words = images + 1, words + len(result.words)
            remarks.note(result.name, result.image)
            if results:
                results.add(result.name, prediction_records(result.words))
            if annotations:
                annotations.add(result)
            if (args.output or window) and not _present(result, args.output, window):
                break
    print(f"{images} images, {words} words, {images / (time.perf_counter() - started):.1f} images/s")
    if broken:
        raise PartlyDoneError(f"{len(broken)} of {len(paths)} images could not be read: {'; '.join(broken[:3])}")


def _spot(paths: list[Path], spotter: Spotter, broken: list[str]) -> Iterator[_Result]:
    for path, name in track(list(zip(paths, image_names(paths), strict=True)), len(paths), "spotting"):
        try:
            image = read_image(path)
            words = spotter(image)
        except UserError as error:
            broken.append(str(error))
            continue
        yield _Result(path, name, image, words)


def _present(result: _Result, folder: Path | None, window: Window | None) -> bool:
    """Write and show one drawn image; False when the viewer has seen enough."""
    drawn = draw_words(result.image, result.words)
    if folder:
        suffix = "" if result.name.endswith(result.path.suffix) else result.path.suffix
        write_image(folder / f"{result.name}{suffix}", drawn)
    return window is None or window.show(drawn)
