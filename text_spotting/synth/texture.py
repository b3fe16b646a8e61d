"""What lies behind the text: photos from a folder, or surfaces made from nothing."""

import functools
import math
import random
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from text_spotting.errors import UserError
from text_spotting.synth.pixels import as_bytes, as_floats
from text_spotting.synth.style import Colour, sign_colour
from text_spotting.words import Image

_TILE = 320
_BANK = 96
_IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
_CACHED_PHOTOS = 200
_LONGEST_SIDE = 900

Field = NDArray[np.float32]


def list_images(folder: Path, flag: str) -> list[Path]:
    """List the pictures under a folder, sorted.

    Raises:
        UserError: the folder holds none; the message names ``flag``.
    """
    paths = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in _IMAGE_SUFFIXES)
    if not paths:
        raise UserError(f"{flag}: no pictures ({', '.join(_IMAGE_SUFFIXES)}) found in {folder}")
    return paths


@functools.lru_cache(maxsize=_CACHED_PHOTOS)
def load_photo(path: str) -> tuple[Image, tuple[int, int]]:
    """Read a picture, reduced to what a background needs, and its original width and height; do not write to it.

    Raises:
        UserError: the file is not a picture.
    """
    image = cv2.imread(path, cv2.IMREAD_COLOR)
    if image is None:
        raise UserError(f"{path}: cannot be read as a picture; remove or replace the file")
    height, width = image.shape[:2]
    scale = _LONGEST_SIDE / max(height, width)
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return as_bytes(image), (width, height)


class Textures:
    """Backgrounds by random number: from a folder of photos if given, else (and a quarter of the time) made."""

    def __init__(self, folder: str | Path | None = None) -> None:
        self._photos = [str(path) for path in list_images(Path(folder), "--backgrounds")] if folder else []

    def scene(self, rng: random.Random, width: int, height: int) -> Image:
        """A background for a whole picture, (height, width, 3), that may be written to."""
        if self._photos and rng.random() < 0.8:
            return cover(rng, load_photo(rng.choice(self._photos))[0], width, height)
        return street(rng, width, height)

    def patch(self, rng: random.Random, width: int, height: int) -> Image:
        """A small piece of some surface, (height, width, 3), that may be written to."""
        if self._photos and rng.random() < 0.6:
            source = load_photo(rng.choice(self._photos))[0]
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
    """Cut the largest window of the right shape (or a little smaller), and resize it to the picture."""
    scale = min(photo.shape[1] / width, photo.shape[0] / height) * rng.uniform(0.6, 1.0)
    w, h = max(1, int(width * scale)), max(1, int(height * scale))
    x, y = rng.randrange(photo.shape[1] - w + 1), rng.randrange(photo.shape[0] - h + 1)
    image = cv2.resize(photo[y : y + h, x : x + w], (width, height), interpolation=cv2.INTER_LINEAR)
    return as_bytes(cv2.flip(image, 1) if rng.random() < 0.5 else image)


def cloud(rng: random.Random, width: int, height: int, coarse: int, octaves: int = 4) -> Field:
    """Smooth noise (height, width) about -1..1: random grids of growing fineness, each half as strong."""
    noise = np.random.default_rng(rng.getrandbits(32))
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cells = coarse << octave
        grid = noise.uniform(-1, 1, (max(2, cells * height // width), max(2, cells))).astype(np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * 0.5**octave
    return as_floats(total)


def slope(rng: random.Random, width: int, height: int) -> Field:
    """A plane (height, width) from -1 to 1 in a random direction: light that falls from one side."""
    angle = rng.uniform(0, 2 * math.pi)
    down = np.linspace(-math.sin(angle), math.sin(angle), height, dtype=np.float32)
    across = np.linspace(-math.cos(angle), math.cos(angle), width, dtype=np.float32)
    return as_floats(np.add.outer(down, across))


def shade(colour: Colour, field: Field, strength: float) -> Image:
    """A surface of one colour whose brightness follows a field."""
    surface = as_floats(colour) + (field * strength)[..., None]
    return surface.clip(0, 255).astype(np.uint8)


def surface(rng: random.Random, width: int, height: int) -> Image:
    """A wall, a board, wood, stone, cloth, tiles, bricks: one material, unevenly lit."""
    colour = material(rng)
    field = slope(rng, width, height) * rng.uniform(0, 25) + cloud(
        rng, width, height, rng.choice((2, 3))
    ) * rng.uniform(2, 22)
    image = shade(colour, field, 1.0)
    kind = rng.random()
    if kind < 0.15:
        _bricks(rng, image)
    elif kind < 0.3:
        _stripes(rng, image)
    elif kind < 0.4:
        image = _grained(rng, image)
    elif kind < 0.5:
        _blobs(rng, image)
    return image


def material(rng: random.Random) -> Colour:
    """A colour of walls, streets and furniture: mostly dull, sometimes that of a sign."""
    if rng.random() < 0.3:
        return sign_colour(rng)
    level = rng.uniform(20, 235)
    return tuple(min(255.0, max(0.0, level * rng.gauss(1, 0.12))) for _ in range(3))  # type: ignore[return-value]


def _bricks(rng: random.Random, image: Image) -> None:
    height, width = image.shape[:2]
    row = rng.randint(8, 40)
    column = int(row * rng.uniform(1, 3))
    joint = tuple(int(c) for c in material(rng))
    offset = column // 2 if rng.random() < 0.6 else 0
    thick = rng.choice((1, 1, 2, 3))
    for number, y in enumerate(range(0, height, row)):
        cv2.line(image, (0, y), (width, y), joint, thick)
        for x in range(offset * (number % 2), width, column):
            cv2.line(image, (x, y), (x, y + row), joint, thick)


def _stripes(rng: random.Random, image: Image) -> None:
    height, width = image.shape[:2]
    colour = tuple(int(c) for c in material(rng))
    step, thick = rng.randint(5, 60), rng.choice((1, 1, 2, 4, 8))
    lean = rng.choice((0, 0, rng.randint(-height, height)))
    upright = rng.random() < 0.6
    for at in range(-abs(lean), max(width, height) + abs(lean), step):
        ends = ((at, 0), (at + lean, height)) if upright else ((0, at), (width, at + lean))
        cv2.line(image, *ends, colour, thick, cv2.LINE_AA)


def _grained(rng: random.Random, image: Image) -> Image:
    """Wood or brushed metal: fine noise drawn out along one direction."""
    height, width = image.shape[:2]
    noise = (
        np.random.default_rng(rng.getrandbits(32)).normal(0, rng.uniform(20, 60), (height, width)).astype(np.float32)
    )
    long = rng.randint(15, 60) | 1
    noise = as_floats(cv2.blur(noise, (long, 1) if rng.random() < 0.5 else (1, long)))
    return (image + noise[..., None]).clip(0, 255).astype(np.uint8)


def _blobs(rng: random.Random, image: Image) -> None:
    """Leaves, pebbles, bottles on a shelf: many overlapping spots of related colours."""
    height, width = image.shape[:2]
    base = material(rng)
    size = rng.uniform(0.02, 0.1) * width
    for _ in range(rng.randint(20, 90)):
        colour = tuple(min(255.0, max(0.0, channel + rng.gauss(0, 30))) for channel in base)
        axes = (max(1, int(size * rng.uniform(0.3, 1))), max(1, int(size * rng.uniform(0.3, 1))))
        centre = (rng.randrange(width), rng.randrange(height))
        cv2.ellipse(image, centre, axes, rng.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)


@functools.lru_cache(maxsize=_BANK)
def _tile(number: int) -> Image:
    return (
        street(random.Random(number), _TILE, _TILE) if number % 3 == 0 else surface(random.Random(number), _TILE, _TILE)
    )


def street(rng: random.Random, width: int, height: int) -> Image:
    """A made-up place: a wall or sky, a floor, and boxes, panes and posts in front of them."""
    image = surface(rng, width, height)
    horizon = int(height * rng.uniform(0.55, 1.1))
    if horizon < height - 8:
        image[horizon:] = surface(rng, width, height - horizon)
    for _ in range(rng.randint(2, 9)):
        w, h = int(width * rng.uniform(0.04, 0.5)), int(height * rng.uniform(0.08, 0.6))
        x, y = rng.randrange(-w // 2, width - w // 2), rng.randrange(-h // 2, height - h // 2)
        _box(rng, image, x, y, w, h)
    return image


def _box(rng: random.Random, image: Image, x: int, y: int, w: int, h: int) -> None:
    x1, y1, x2, y2 = max(0, x), max(0, y), min(image.shape[1], x + w), min(image.shape[0], y + h)
    if x2 - x1 < 8 or y2 - y1 < 8:
        return
    piece = (
        surface(rng, x2 - x1, y2 - y1) if rng.random() < 0.5 else shade(material(rng), slope(rng, x2 - x1, y2 - y1), 12)
    )
    if rng.random() < 0.2:  # a pane of glass: what is behind shines through
        piece = as_bytes(cv2.addWeighted(piece, 0.6, image[y1:y2, x1:x2], 0.4, 0))
    image[y1:y2, x1:x2] = piece
    if rng.random() < 0.6:
        edge = tuple(int(channel) for channel in material(rng))
        cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), edge, rng.choice((1, 2, 4)))
