"""One model on one set: find, read, count."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from text_spotting.evaluation.broad.columns import Column, reading_column, spotting_columns
from text_spotting.evaluation.broad.faults import Faults, find_faults
from text_spotting.evaluation.broad.positions import POSITIONS, ShiftedSpotter
from text_spotting.evaluation.broad.readers import Reader
from text_spotting.evaluation.broad.reading import (
    FramedImage,
    Readings,
    crop_frames,
    found_frames,
    found_words,
    read_all,
    true_frames,
)
from text_spotting.evaluation.broad.sets import AnySet, CropSet, ImageSet
from text_spotting.evaluation.broad.store import AnswerStore, code_hash, hash_of, set_hash
from text_spotting.evaluation.inference import Spotter, spot_images
from text_spotting.evaluation.predictions import image_names
from text_spotting.words import Image, Word

Track = Callable[[Iterable[Any], int, str], Iterator[Any]]


@dataclass(frozen=True, slots=True)
class NamedReader:
    """A recogniser.

    Attributes:
        name: key in results.
        identity: changes when its weights do.
        fold_case: upper and lower case are one to it.
    """

    name: str
    identity: str
    reader: Reader
    fold_case: bool = True


@dataclass(frozen=True, slots=True)
class Model:
    """What is measured.

    Attributes:
        identity: changes when the weights do.
        spotter: finds and reads; None to measure recognisers alone.
        readers: recognisers to read words with.
        streams: images spotted side by side.
        fold_case: upper and lower case are one to the spotter.
    """

    identity: str
    spotter: Spotter | None
    readers: Sequence[NamedReader]
    streams: int = 1
    fold_case: bool = True


@dataclass(frozen=True, slots=True)
class SetMeasurement:
    """The figures of one set.

    Attributes:
        fingerprint: of its images and truth: figures of other ones are not comparable.
        images: how many.
    """

    fingerprint: str
    images: int
    columns: list[Column]
    faults: Faults | None


def measure_set(model: Model, name: str, measured: AnySet, folder: Path, track: Track) -> SetMeasurement:
    """Measure a set, or take up what is there of it.

    Args:
        folder: keeps the answers of all sets.
        track: shows progress.
    """
    fingerprint = set_hash(measured)
    names = image_names([image.path for image in measured.images])
    key = hash_of(part.encode() for part in (model.identity, code_hash(), fingerprint))
    answers = AnswerStore.open(folder / name, key, names)
    show: Track = lambda items, total, task: track(items, total, f"{name}: {task}")  # noqa: E731
    if isinstance(measured, CropSet):
        return SetMeasurement(fingerprint, len(names), _read_crops(model, measured, answers, show), None)
    columns, faults = _spot_and_read(model, measured, answers, show)
    return SetMeasurement(fingerprint, len(names), columns, faults)


def _read_crops(model: Model, crops: CropSet, answers: AnswerStore, track: Track) -> list[Column]:
    def framed() -> Iterator[FramedImage]:
        for index in range(len(crops.images)):
            pixels, words = crop_frames(crops, index)
            yield FramedImage(partial(_same, pixels), words)

    return [_column_of(reader, "crops", crops.groups, framed, answers, track) for reader in model.readers]


def _same(pixels: Image) -> Image:
    return pixels


def _spot_and_read(
    model: Model, images: ImageSet, answers: AnswerStore, track: Track
) -> tuple[list[Column], Faults | None]:
    truth = [images.truth(index) for index in range(len(images.images))]
    columns: list[Column] = []
    faults, found = None, None
    if model.spotter is not None:
        runs = _spot(model, model.spotter, images, answers, track)
        found = runs[0]
        columns += spotting_columns(truth, runs, images.figures, model.fold_case)
        if images.reads:
            own = _own_readings(answers.names, truth, found)
            columns.append(reading_column("found_frames", "", answers.names, own, model.fold_case))
            faults = find_faults(answers.names, truth, found, model.fold_case)
    for reader in model.readers if images.reads else ():
        columns += _read_words(reader, images, answers, found, track)
    return columns, faults


def _spot(
    model: Model, spotter: Spotter, images: ImageSet, answers: AnswerStore, track: Track
) -> list[list[list[Word]]]:
    """The words of every image in every position."""
    places = {image.path: index for index, image in enumerate(images.images)}
    runs = []
    for number, (right, down) in enumerate(POSITIONS[: images.positions]):
        found = answers.words(number)
        if found is None:
            moved = ShiftedSpotter(spotter, right, down)
            spotted = spot_images(
                moved, list(places), spotters=model.streams, read=lambda path: images.pixels(places[path])
            )
            task = f"spotting, position {number + 1}" if images.positions > 1 else "spotting"
            found = list(track(spotted, len(places), task))
            answers.keep_words(number, found)
        runs.append(found)
    return runs


def _own_readings(names: Sequence[str], truth: Sequence[Sequence[Word]], found: Sequence[Sequence[Word]]) -> Readings:
    """What the spotter itself read of the words that it found."""
    return [
        (name, true.text, one.text)
        for name, true_words, found_ones in zip(names, truth, found, strict=True)
        for true, one in found_words(true_words, found_ones)
    ]


def _read_words(
    reader: NamedReader,
    images: ImageSet,
    answers: AnswerStore,
    found: Sequence[Sequence[Word]] | None,
    track: Track,
) -> list[Column]:
    """Columns of a reader in true frames and, where there are any, in found ones."""

    def framed(figure: str) -> Iterator[FramedImage]:
        for index, name in enumerate(answers.names):
            if figure == "true_frames":
                words = true_frames(images, index, name)
            else:
                assert found is not None
                words = found_frames(images.truth(index), found[index], name)
            yield FramedImage(partial(images.pixels, index), words)

    figures = ("true_frames", "found_frames") if found is not None else ("true_frames",)
    return [_column_of(reader, figure, answers.names, partial(framed, figure), answers, track) for figure in figures]


def _column_of(
    reader: NamedReader,
    figure: str,
    images: Sequence[str],
    framed: Callable[[], Iterator[FramedImage]],
    answers: AnswerStore,
    track: Track,
) -> Column:
    """What a reader makes of framed words, counted by ``images`` as ``reading_column`` does."""
    readings = _readings(reader, figure, framed, answers, track)
    return reading_column(figure, reader.name, images, readings, reader.fold_case)


def _readings(
    reader: NamedReader,
    figure: str,
    framed: Callable[[], Iterator[FramedImage]],
    answers: AnswerStore,
    track: Track,
) -> Readings:
    """What a reader reads of framed words, or has read before."""
    name = f"{figure}_{reader.name}"
    kept = answers.readings(name, reader.identity)
    if kept is None:
        steps = track(
            read_all(reader.reader, framed(), len(answers.names)), len(answers.names), f"{reader.name}, {figure}"
        )
        kept = [reading for step in steps for reading in step]
        answers.keep_readings(name, reader.identity, kept)
    return kept
