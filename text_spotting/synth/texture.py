"""What lies behind the text: photos from a folder, or surfaces made from nothing."""

import functools
import math
import random
from pathlib import Path

import cv2

from text_spotting.errors import UserError
from text_spotting.image_files import IMAGE_SUFFIXES, is_image, read_image
from text_spotting.synth.materials import surface
from text_spotting.synth.pixels import as_bytes
from text_spotting.synth.places import Place, boxes, make_place
from text_spotting.words import Image

_TILE = 320
_BANK = 96
_CACHED_PHOTOS = 200
_LONGEST_SIDE = 900


def list_images(folder: Path) -> list[Path]:
    """List the images under a folder, sorted.

    Raises:
        UserError: the folder holds none.
    """
    paths = sorted(path for path in Path(folder).rglob("*") if is_image(path))
    if not paths:
        raise UserError(f"no images ({', '.join(IMAGE_SUFFIXES)}) found in {folder}", about="backgrounds")
    return paths


def read_photo(path: str | Path) -> Image:
    """Read an image as it is.

    Raises:
        UserError: the file is not an image.
    """
    return as_bytes(read_image(Path(path)))


@functools.lru_cache(maxsize=_CACHED_PHOTOS)
def load_photo(path: str) -> Image:
    """Read an image, reduced to what a background needs; it is kept, so do not write to it."""
    image = read_photo(path)
    scale = _LONGEST_SIDE / max(image.shape[:2])
    if scale >= 1:
        return image
    return as_bytes(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


class Textures:
    """Backgrounds by random number: from a folder of photos if given, else (and a quarter of the time) made."""

    def __init__(self, folder: str | Path | None = None) -> None:
        self._photos = [str(path) for path in list_images(Path(folder))] if folder else []

    def place(self, rng: random.Random, width: int, height: int, roll: float) -> Place:
        """A background for a whole image, taken with the camera turned by ``roll`` degrees; may be written to."""
        if self._photos and rng.random() < 0.65:
            return Place(cover(rng, load_photo(rng.choice(self._photos)), width, height))
        return make_place(rng, width, height, self.patch, roll)

    def patch(self, rng: random.Random, width: int, height: int) -> Image:
        """A small piece of some surface, (height, width, 3), that may be written to."""
        if self._photos and rng.random() < 0.6:
            source = load_photo(rng.choice(self._photos))
        else:
            source = _tile(rng.randrange(_BANK))
        return cut(rng, source, width, height)


def cut(rng: random.Random, source: Image, width: int, height: int) -> Image:
    """Cut a random window, at a random scale, to the size asked for."""
    limit = min(source.shape[1] / width, source.shape[0] / height)
    scale = min(limit, math.exp(rng.uniform(-0.7, 0.9)))
    w, h = max(1, min(source.shape[1], int(width * scale))), max(1, min(source.shape[0], int(height * scale)))
    x, y = rng.randrange(source.shape[1] - w + 1), rng.randrange(source.shape[0] - h + 1)
    way = cv2.INTER_AREA if scale > 1.2 else cv2.INTER_LINEAR
    window = source[y : y + h, x : x + w]
    if rng.random() < 0.5:
        window = as_bytes(cv2.flip(window, 1))
    return as_bytes(cv2.resize(window, (width, height), interpolation=way))


def cover(rng: random.Random, photo: Image, width: int, height: int) -> Image:
    """Cut the largest window of the right shape (or a little smaller), and resize it to the image."""
    scale = min(photo.shape[1] / width, photo.shape[0] / height) * rng.uniform(0.6, 1.0)
    w, h = max(1, int(width * scale)), max(1, int(height * scale))
    x, y = rng.randrange(photo.shape[1] - w + 1), rng.randrange(photo.shape[0] - h + 1)
    image = cv2.resize(photo[y : y + h, x : x + w], (width, height), interpolation=cv2.INTER_LINEAR)
    return as_bytes(cv2.flip(image, 1) if rng.random() < 0.5 else image)


@functools.lru_cache(maxsize=_BANK)
def _tile(number: int) -> Image:
    rng = random.Random(number)
    return boxes(rng, _TILE, _TILE) if number % 2 else surface(rng, _TILE, _TILE)
