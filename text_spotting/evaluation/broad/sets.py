"""The sets that a model is measured on, and where their files lie under the data root."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from text_spotting.annotations.coco import CocoWithText
from text_spotting.annotations.held_back import crop_owners, split_crops, split_held_back
from text_spotting.annotations.icdar import ICDAR2015, PlainQuads
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.readers import Reader
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.annotations.word_crops import WordCrops
from text_spotting.errors import UserError
from text_spotting.evaluation.broad.rendered import KINDS, Track, render, turn_words
from text_spotting.image_files import read_image
from text_spotting.words import Image, Word

_ALL_FIGURES = ("ic15_detection", "ic15_word_spotting", "ic15_end_to_end")


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Images in which words are to be found.

    Attributes:
        images: their files, and their words as annotated.
        figures: names of the protocols that score it.
        reads: whether its words are also read in their true and in found frames.
        positions: in how many positions it is measured.
        turns: quarter turns to the left that each image is shown in; none where empty.
    """

    images: Sequence[AnnotatedImage]
    figures: tuple[str, ...]
    reads: bool = True
    positions: int = 1
    turns: Sequence[int] = ()

    def pixels(self, index: int) -> Image:
        """The image as it is shown."""
        image = read_image(self.images[index].path)
        return np.ascontiguousarray(np.rot90(image, self.turns[index])) if self.turns else image

    def truth(self, index: int) -> Sequence[Word]:
        """The words of the image as it is shown."""
        image = self.images[index]
        return turn_words(image, self.turns[index]) if self.turns else image.words

    def first(self, limit: int) -> "ImageSet":
        """At most ``limit`` of the images, spread evenly."""
        rows = spread(len(self.images), limit)
        images, turns = [self.images[row] for row in rows], [self.turns[row] for row in rows if self.turns]
        return ImageSet(images, self.figures, self.reads, self.positions, turns)


@dataclass(frozen=True, slots=True)
class CropSet:
    """Images of single words.

    Attributes:
        images: each with one word; its polygon is what is read.
        groups: for each crop what it was cut from: words of one photo are not independent.
    """

    images: Sequence[AnnotatedImage]
    groups: Sequence[str]

    def first(self, limit: int) -> "CropSet":
        """At most ``limit`` of the crops, spread evenly."""
        rows = spread(len(self.images), limit)
        return CropSet([self.images[row] for row in rows], [self.groups[row] for row in rows])


AnySet = ImageSet | CropSet


def spread(count: int, limit: int) -> list[int]:
    """Places of at most ``limit`` of ``count`` things, evenly apart."""
    kept = min(count, limit)
    return [place * count // kept for place in range(kept)] if kept else []


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of every set.

    Attributes:
        root: the data root.
        limit: most images of a set.
        positions: of the development split.
        cache: folder that keeps rendered images between runs.
        track: shows how far drawing them is.
        workers: processes that draw.
        log: takes what is odd about a set's files.
    """

    root: Path
    limit: int
    positions: int
    cache: Path
    track: Track
    workers: int = 1
    log: Callable[[str], None] = print


@dataclass(frozen=True, slots=True)
class Source:
    """How to get a set.

    Attributes:
        title: name for people.
        needs: what must be there under the data root.
        load: reads it.
    """

    title: str
    needs: tuple[str, ...]
    load: Callable[[Request], AnySet]

    def missing(self, root: Path) -> list[Path]:
        """What is not there."""
        return [root / name for name in self.needs if not (root / name).exists()]


def _read(asked: Request, reader: Reader, folder: str) -> list[AnnotatedImage]:
    problems = Problems()
    images = list(reader.read(problems))
    if not images:
        raise UserError(f"{asked.root / folder}: holds no image that can be read; docs/measuring.md shows the layout")
    for kind, places in problems.found.items():
        asked.log(f"{folder}: {kind}: {len(places)}, the first is {places[0]}")
    return images


def _icdar2015(asked: Request, part: str) -> list[AnnotatedImage]:
    folder = f"icdar2015/ch4_{part}_images"
    reader = ICDAR2015(asked.root, folder, f"icdar2015/ch4_{part}_localization_transcription_gt")
    return _read(asked, reader, folder)


def _development(asked: Request) -> AnySet:
    images = _icdar2015(asked, "test")
    return ImageSet(images, _ALL_FIGURES, positions=asked.positions).first(asked.limit)


def _example_drawings(asked: Request) -> AnySet:
    folder = "horizontal_text_detection"
    images = _read(asked, CocoWithText(asked.root, f"{folder}/annotation.json", folder), folder)
    return ImageSet(images, ("f1", "word_spotting", "e2e_recognition")).first(asked.limit)


def _multilingual(asked: Request) -> AnySet:
    images = _read(asked, PlainQuads(asked.root, "mlt_en_fr/images", "mlt_en_fr/quads"), "mlt_en_fr")
    return ImageSet(split_held_back(images)[1], ("ic15_detection",), reads=False).first(asked.limit)


def _icdar2003(asked: Request) -> AnySet:
    images = _read(asked, ICDAR2015(asked.root, "icdar2003/images", "icdar2003/gt"), "icdar2003")
    return ImageSet(split_held_back(images)[1], _ALL_FIGURES).first(asked.limit)


def _training_photos(asked: Request) -> AnySet:
    return ImageSet(split_held_back(_icdar2015(asked, "training"))[1], _ALL_FIGURES).first(asked.limit)


def _training_crops(asked: Request) -> AnySet:
    """Full-resolution crops of the words of the photos that are held back."""
    folder = "icdar2015/word_crops_train"
    crops = _read(asked, WordCrops(asked.root, f"{folder}/gt.txt", folder, f"{folder}/coords.txt"), folder)
    photos = _icdar2015(asked, "training")
    owners = dict(zip((crop.path for crop in crops), crop_owners(crops, photos), strict=True))
    apart = split_crops(crops, photos)[1]
    return CropSet(apart, [owners[crop.path] for crop in apart]).first(asked.limit)


def _iiit5k(asked: Request) -> AnySet:
    crops = _read(asked, WordCrops(asked.root, "iiit5k/test.tags", "iiit5k"), "iiit5k")
    # 1002_2.jpg is the second word of photo 1002.
    return CropSet(crops, [crop.path.stem.split("_")[0] for crop in crops]).first(asked.limit)


def _rendered(kind: str) -> Callable[[Request], AnySet]:
    def load(asked: Request) -> AnySet:
        images = render(kind, asked.root / "backgrounds", asked.limit, asked.cache, asked.track, asked.workers)
        turns = [1 + number % 3 for number in range(len(images))] if KINDS[kind].turned else []
        return ImageSet(images, _ALL_FIGURES, KINDS[kind].reads, turns=turns)

    return load


_TRAINING = ("icdar2015/ch4_training_images", "icdar2015/ch4_training_localization_transcription_gt")
SOURCES: dict[str, Source] = {
    "ic15_dev": Source(
        "ICDAR 2015, development split",
        ("icdar2015/ch4_test_images", "icdar2015/ch4_test_localization_transcription_gt"),
        _development,
    ),
    "iiit5k": Source("IIIT5K, test part", ("iiit5k/test.tags", "iiit5k/test"), _iiit5k),
    "ote": Source("OTE's 16 drawings", ("horizontal_text_detection/annotation.json",), _example_drawings),
    "mlt": Source("MLT, held back", ("mlt_en_fr/images", "mlt_en_fr/quads"), _multilingual),
    "ic03": Source("ICDAR 2003, held back", ("icdar2003/images", "icdar2003/gt"), _icdar2003),
    "ic15_train": Source("ICDAR 2015 training photos, held back", _TRAINING, _training_photos),
    "ic15_crops": Source(
        "ICDAR 2015 training words, held back", (*_TRAINING, "icdar2015/word_crops_train/gt.txt"), _training_crops
    ),
    **{f"rendered_{kind}": Source(f"rendered, {KINDS[kind].title}", (), _rendered(kind)) for kind in KINDS},
}
"""Every set by its name on the command line, in the order of the table."""


def choose(names: str) -> dict[str, Source]:
    """The sets of a comma-separated list; all of them where it is empty.

    Raises:
        UserError: there is no set of that name.
    """
    wanted = [name.strip() for name in names.split(",") if name.strip()] or list(SOURCES)
    if strangers := [name for name in wanted if name not in SOURCES]:
        raise UserError(f"no set is called '{strangers[0]}'; choose from {', '.join(SOURCES)}", about="sets")
    return {name: SOURCES[name] for name in SOURCES if name in wanted}
