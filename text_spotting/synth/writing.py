"""Synthetic data sets on disk: the same images whatever the number of workers, written in parts, resumable."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2

from text_spotting.annotations.dataset_file import read_dataset, write_dataset
from text_spotting.annotations.records import AnnotatedImage, LabelledWord
from text_spotting.errors import UserError
from text_spotting.files.json_files import load_object
from text_spotting.files.writing import write_whole
from text_spotting.processes import run_tasks
from text_spotting.synth.compose import Placed
from text_spotting.synth.generate import Scene, SceneGenerator, SceneOptions
from text_spotting.synth.pixels import as_bytes
from text_spotting.synth.texts import plain_options

ANNOTATION = "annotation.json"
IMAGES = "images"
PARTS = "parts"
SETTINGS = "settings.json"


@dataclass(frozen=True)
class Job:
    """A data set to write.

    Attributes:
        output: folder that gets images/, annotation.json and, for taking the work up again, parts/ and settings.json.
        seed: number of the first image; image ``i`` is scene ``seed + i``.
        quality: JPEG quality of the files.
        part: images per part; a part is written whole or not at all.
        chars: whether each word's annotation lists its characters' places too.
    """

    output: Path
    options: SceneOptions
    count: int
    seed: int = 0
    quality: int = 92
    part: int = 50
    chars: bool = False

    def settings(self) -> dict[str, Any]:
        """What decides how images look; ``count`` may grow from run to run."""
        kept = {"seed": self.seed, "quality": self.quality, "part": self.part, "chars": self.chars}
        plain: dict[str, Any] = json.loads(
            json.dumps({**kept, "options": plain_options(asdict(self.options))}, default=str)
        )
        return plain

    def ranges(self) -> list[range]:
        """Numbers of the images of each part."""
        return [range(start, min(start + self.part, self.count)) for start in range(0, self.count, self.part)]


def write(job: Job, workers: int = 1) -> Iterator[int]:
    """Write the images that are not there yet, then the annotation of all; yields how many each step added.

    Raises:
        UserError: the folder holds images made with other settings.
    """
    _check_settings(job)
    (job.output / IMAGES).mkdir(parents=True, exist_ok=True)
    missing = []
    for numbers in job.ranges():
        if _part_file(job, numbers).is_file():
            yield len(numbers)
        else:
            missing.append(numbers)
    if missing:
        yield from _render(job, missing, workers)
    _join(job)


def _render(job: Job, missing: list[range], workers: int) -> Iterator[int]:
    tasks = [json.dumps([numbers.start, numbers.stop]) for numbers in missing]
    return run_tasks(PartWriter, (job,), tasks, workers)


class PartWriter:
    """What runs in every process: loads fonts and photos once and writes one part after another."""

    def __init__(self, job: Job) -> None:
        self.job, self.generator = job, SceneGenerator(job.options)

    def __call__(self, numbers: str) -> int:
        return _write_part(self.job, self.generator, range(*json.loads(numbers)))


def _write_part(job: Job, generator: SceneGenerator, numbers: range) -> int:
    """Write the images of one part, and last its annotation, which marks the part as done."""
    images = []
    for number in numbers:
        scene = generator(job.seed + number)
        path = job.output / IMAGES / f"{number:06d}.jpg"
        _, coded = cv2.imencode(".jpg", scene.image, [cv2.IMWRITE_JPEG_QUALITY, job.quality])
        write_whole(path, as_bytes(coded).tobytes())
        images.append(annotated(scene, path, chars=job.chars))
    write_dataset(_part_file(job, numbers), images, job.output)
    return len(numbers)


def annotated(scene: Scene, path: Path, *, chars: bool = False) -> AnnotatedImage:
    """Describe a scene as the image stored at ``path``."""
    height, width = scene.image.shape[:2]
    words = [_labelled(placed, chars=chars) for placed in scene.placed]
    return AnnotatedImage(path, width, height, words)


def _labelled(placed: Placed, *, chars: bool) -> LabelledWord:
    word = placed.word
    attributes: dict[str, Any] = {}
    if chars and len(placed.chars) == len(word.text):
        attributes["chars"] = [_char(char, quad) for char, quad in zip(word.text, placed.chars, strict=True)]
    language = "english" if word.text.isascii() and word.text else ""
    return LabelledWord(word.polygon, word.text, ignore=word.ignore, language=language, attributes=attributes)


def _char(char: str, quad: Any) -> dict[str, Any]:
    low, high = quad.min(axis=0), quad.max(axis=0)
    box = [round(float(value), 1) for value in (*low, *(high - low))]
    return {"char": char, "bbox": box, "segmentation": [[round(float(value), 1) for value in quad.ravel()]]}


def _part_file(job: Job, numbers: range) -> Path:
    return job.output / PARTS / f"{numbers.start:06d}-{numbers.stop:06d}.json"


def _join(job: Job) -> None:
    images = []
    for numbers in job.ranges():
        images += read_dataset(_part_file(job, numbers), job.output)
    write_dataset(job.output / ANNOTATION, images, job.output)


def _check_settings(job: Job) -> None:
    path = job.output / SETTINGS
    if not path.is_file():
        if (job.output / ANNOTATION).exists():
            raise UserError(
                f"{job.output}: holds an {ANNOTATION} that this tool did not write; choose another", about="output"
            )
        write_whole(path, json.dumps(job.settings(), indent=1))
        return
    before, now = load_object(path, "settings file"), job.settings()
    if before != now:
        odd = next(key for key in now if before.get(key) != now[key])
        raise UserError(
            f"{job.output}: its images were made with other settings ({odd}: {before.get(odd)}); "
            "choose another folder, or delete this one",
            about="output",
        )
