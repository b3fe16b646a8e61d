"""Rendered scenes of four kinds, drawn once and kept for as long as the renderer would draw them like that."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from text_spotting.annotations.dataset_file import read_dataset
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.synth.generate import SceneGenerator, SceneOptions
from text_spotting.synth.writing import ANNOTATION, Job, write
from text_spotting.words import FloatArray, Word

COUNT = 500
"""Images of each kind."""
FIRST_SEED = 900_000_000
"""Training draws smaller numbers."""
_QUALITY = 92
_PROBES = 2
"""Scenes drawn anew each time to see whether what is kept still looks the same."""


class Track(Protocol):
    """Shows how many of the items are done."""

    def __call__(self, items: Iterable[None], total: int, task: str) -> Iterator[None]: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of scenes.

    Attributes:
        title: name for people.
        options: what they look like.
        turned: whether they are shown turned by 90, 180 and 270 degrees, in turn.
        reads: whether their words are also read on their own; tens of thousands are more than it takes.
    """

    title: str
    options: SceneOptions
    turned: bool = False
    reads: bool = True


_USUAL = SceneOptions(size=(1280, 720), words=(6, 24), height=(12, 90))
_PAGES = replace(_USUAL, on_walls=0.0, clutter=0.1)
KINDS: dict[str, Kind] = {
    "upright": Kind("upright", replace(_USUAL, tilt=0.5)),
    "turned": Kind("turned by 90, 180, 270 degrees", replace(_USUAL, tilt=1.0), turned=True),
    "long": Kind("long words", replace(_USUAL, words=(4, 14), height=(12, 56), long_words=0.7)),
    "dense": Kind("dense pages", replace(_PAGES, words=(80, 140), height=(12, 30)), reads=False),
}


def render(
    kind: str, backgrounds: Path, limit: int, cache: Path, track: Track, workers: int = 1
) -> list[AnnotatedImage]:
    """The first ``limit`` images of a kind, drawn where they are not there yet.

    Args:
        backgrounds: folder of photos to write on; made-up places where it does not exist.
        cache: folder that keeps images between runs.
        workers: processes that draw.
    """
    options = replace(KINDS[kind].options, backgrounds=str(backgrounds) if backgrounds.is_dir() else None)
    count, seed = min(limit, COUNT), FIRST_SEED + COUNT * list(KINDS).index(kind)
    folder = cache / f"rendered-{kind}-{_fingerprint(options, seed)}"
    if not _complete(folder, count):
        job = Job(folder, options, COUNT if count == COUNT else count, seed, _QUALITY)
        drawn = (None for added in write(job, workers) for _ in range(added))
        for _ in track(drawn, count, f"drawing {kind} scenes"):
            pass
    return read_dataset(folder / ANNOTATION)[:count]


def turn_words(image: AnnotatedImage, turns: int) -> list[Word]:
    """The words of an image that was turned left by ``turns`` quarters, in their order, read from the same corner."""
    return [replace(word, polygon=_turned(word.polygon, image.width, image.height, turns)) for word in image.words]


def _turned(points: FloatArray, width: int, height: int, turns: int) -> FloatArray:
    for _ in range(turns % 4):
        points = np.stack([points[:, 1], width - points[:, 0]], axis=1)
        width, height = height, width
    return points


def _complete(folder: Path, count: int) -> bool:
    file = folder / ANNOTATION
    return file.is_file() and len(read_dataset(file)) >= count


def _fingerprint(options: SceneOptions, seed: int) -> str:
    """Settings and the look of the first scenes: another renderer, font or photo gives other ones.

    Images that are kept are not drawn again because a line of the renderer's code reads differently.
    """
    settings = {**asdict(options), "backgrounds": None, "seed": seed, "quality": _QUALITY}
    digest = hashlib.sha256(json.dumps(settings).encode())
    generator = SceneGenerator(options)
    for number in range(_PROBES):
        digest.update(generator(seed + number).image.tobytes())
    return digest.hexdigest()[:12]
