"""Small samples of data sets in their own formats, for the tests of the readers."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from text_spotting.annotations.problems import Problems
from text_spotting.annotations.readers import make_readers
from text_spotting.annotations.records import AnnotatedImage, labelled

BOX = [[10, 10], [50, 10], [50, 30], [10, 30]]
FLAT = "10,10,50,10,50,30,10,30"
WIDTH, HEIGHT = 120, 80


def save_image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((HEIGHT, WIDTH, 3), 127, np.uint8))


def save(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def read(root: Path, name: str, **kwargs: Any) -> tuple[list[AnnotatedImage], Problems]:
    problems = Problems()
    ((_, reader),) = make_readers([{"name": name, "kwargs": kwargs}], root, "test.json")
    return list(reader.read(problems)), problems


def texts(image: AnnotatedImage) -> list[tuple[str, bool]]:
    """Text and whether it is to be found, of every word."""
    return [(word.text, not word.ignore) for word in image.words]


def languages(image: AnnotatedImage) -> list[str]:
    return [labelled(word).language for word in image.words]


def corners(image: AnnotatedImage, index: int = 0) -> list[list[float]]:
    polygon: list[list[float]] = image.words[index].polygon.tolist()
    return polygon


def kinds(problems: Problems) -> list[str]:
    return sorted(problems.found)
