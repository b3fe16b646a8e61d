"""Real word crops, blended into an image with their true text."""

import random
from pathlib import Path

import cv2
import numpy as np

from text_spotting.annotations.word_crops import read_word_crops
from text_spotting.errors import UserError
from text_spotting.synth.compose import Canvas
from text_spotting.synth.pixels import as_bytes, as_floats, mean_color
from text_spotting.synth.render import Pose
from text_spotting.synth.texture import load_photo
from text_spotting.words import Image

_LISTS = ("gt.txt", "labels.txt", "train.tags", "tags.txt")
_LEAST_SIDE = 8


def find_crops(source: str | Path) -> list[tuple[Path, str]]:
    """List real crops and their texts.

    Args:
        source: a list file as ``read_word_crops`` takes it, or a folder with one called gt.txt, labels.txt, ...

    Raises:
        UserError: no such list, or nothing in it.
    """
    source = Path(source)
    if source.is_file():
        return read_word_crops(source)
    for name in _LISTS:
        if (source / name).is_file():
            return read_word_crops(source / name)
    raise UserError(f"{source}: neither a list file nor a folder with one of {', '.join(_LISTS)}", about="word_crops")


def paste(rng: random.Random, canvas: Canvas, crop: Image, text: str, pose: Pose, height: float) -> bool:
    """Blend one crop in where there is room, ``height`` pixels tall; returns whether it found a place."""
    rows, columns = crop.shape[:2]
    if min(rows, columns) < _LEAST_SIDE:
        return False
    place = canvas.find_place(rng, pose.corners(columns * height / rows, height))
    if place is None:
        return False
    x1, y1, x2, y2 = canvas.bounds(place)
    flat = as_floats([[0, 0], [columns, 0], [columns, rows], [0, rows]])
    matrix = cv2.getPerspectiveTransform(flat, place - as_floats([x1, y1]))
    size = (x2 - x1, y2 - y1)
    warped = cv2.warpPerspective(crop, matrix, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    soft = as_floats(cv2.warpPerspective(_feather(rows, columns), matrix, size))[..., None]
    region = canvas.image[y1:y2, x1:x2]
    lit = _relit(as_bytes(warped), region, rng.uniform(0.0, 0.6))
    region[:] = region + (lit - region) * soft
    canvas.add_area(place, text)
    canvas.reserve(place)
    return True


def draw_crop(rng: random.Random, crops: list[tuple[Path, str]]) -> tuple[Image, str]:
    """Pick a crop and read it."""
    path, text = rng.choice(crops)
    return load_photo(str(path)), text


def _feather(rows: int, columns: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Weights (rows, columns) that fall to 0 along the border, so that no edge of the crop shows."""
    rim = max(1, rows // 10)
    inner = np.zeros((rows, columns), np.float32)
    inner[rim : rows - rim, rim : columns - rim] = 1
    return as_floats(cv2.blur(inner, (2 * rim + 1, 2 * rim + 1)))


def _relit(crop: Image, around: Image, share: float) -> Image:
    """Shift the crop's brightness part of the way to that of its new place."""
    shift = (as_floats(mean_color(around)) - as_floats(mean_color(crop))) * share
    return as_bytes((crop + shift).clip(0, 255))
