"""Surfaces made from nothing: walls, boards, wood, stone, tiles, unevenly lit."""

import math
import random
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from text_spotting.synth.pixels import as_bytes, as_floats
from text_spotting.synth.style import Color, sign_color
from text_spotting.words import Image

Field = NDArray[np.float32]
_REDUCED = 4
_UNIT_GAIN = 128


def cloud(rng: random.Random, width: int, height: int, coarse: int, octaves: int = 3) -> Field:
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


def shade(color: Color, field: Field, width: int, height: int) -> Image:
    """A surface (height, width, 3) of one color; ``field``, of any smaller size, is added to its brightness."""
    small = as_floats(color) + field[..., None]
    return as_bytes(cv2.resize(small.clip(0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR))


def plain(rng: random.Random, color: Color, width: int, height: int, unevenness: float) -> Image:
    """A surface of one color, lit from one side, by up to ``unevenness`` grey levels."""
    return shade(color, slope(rng, 8, 8) * rng.uniform(0, unevenness), width, height)


def surface(rng: random.Random, width: int, height: int) -> Image:
    """A piece (height, width, 3) of some material."""
    small = max(4, width // _REDUCED), max(4, height // _REDUCED)
    field = slope(rng, *small) * rng.uniform(0, 25) + cloud(rng, *small, rng.choice((2, 3))) * rng.uniform(2, 22)
    image = shade(material(rng), as_floats(field), width, height)
    pattern = rng.choices((None, *_PATTERNS), (50, 15, 15, 10, 10))[0]
    if pattern:
        pattern(rng, image)
    return image


def material(rng: random.Random) -> Color:
    """A color of walls, streets and furniture: mostly dull, sometimes that of a sign."""
    if rng.random() < 0.07:
        return sign_color(rng)
    level, warmth = rng.uniform(15, 235), rng.gauss(0.03, 0.08)
    return tuple(min(255.0, max(0.0, level * factor)) for factor in (1 - warmth, rng.gauss(1, 0.03), 1 + warmth))  # type: ignore[return-value]


def _bricks(rng: random.Random, image: Image) -> None:
    height, width = image.shape[:2]
    row = rng.randint(8, 40)
    column = int(row * rng.uniform(1, 3))
    joint = related(rng, image)
    offset = column // 2 if rng.random() < 0.6 else 0
    thick = rng.choice((1, 1, 2, 3))
    for number, y in enumerate(range(0, height, row)):
        cv2.line(image, (0, y), (width, y), joint, thick)
        for x in range(offset * (number % 2), width, column):
            cv2.line(image, (x, y), (x, y + row), joint, thick)


def _stripes(rng: random.Random, image: Image) -> None:
    height, width = image.shape[:2]
    color = related(rng, image)
    step, thick = rng.randint(5, 60), rng.choice((1, 1, 2, 4, 8))
    lean = rng.choice((0, 0, rng.randint(-height, height)))
    upright = rng.random() < 0.6
    for at in range(-abs(lean), max(width, height) + abs(lean), step):
        start, end = ((at, 0), (at + lean, height)) if upright else ((0, at), (width, at + lean))
        cv2.line(image, start, end, color, thick, cv2.LINE_AA)


def _grain(rng: random.Random, image: Image) -> None:
    """Wood or brushed metal: fine noise drawn out along one direction."""
    height, width = image.shape[:2]
    noise = np.random.default_rng(rng.getrandbits(32)).integers(0, 255, (height // 2 + 1, width // 2 + 1), np.uint8)
    long = rng.randint(8, 30) | 1
    drawn = cv2.resize(cv2.blur(noise, (long, 1) if rng.random() < 0.5 else (1, long)), (width, height))
    strength = rng.uniform(0.3, 1.2)
    image[:] = as_bytes(cv2.addWeighted(image, 1.0, cv2.merge([drawn] * 3), strength, -127 * strength))


def _blobs(rng: random.Random, image: Image) -> None:
    """Leaves, pebbles, goods on a shelf: many overlapping spots of related colors."""
    height, width = image.shape[:2]
    base, size = material(rng), rng.uniform(0.02, 0.1) * width
    for _ in range(rng.randint(20, 90)):
        color = tuple(min(255.0, max(0.0, channel + rng.gauss(0, 30))) for channel in base)
        axes = (max(1, int(size * rng.uniform(0.3, 1))), max(1, int(size * rng.uniform(0.3, 1))))
        centre = (rng.randrange(width), rng.randrange(height))
        cv2.ellipse(image, centre, axes, rng.uniform(0, 180), 0, 360, color, -1, cv2.LINE_AA)


def related(rng: random.Random, image: Image) -> Color:
    """A color a little brighter or darker than an image's first pixel."""
    shift = rng.gauss(0, 30)
    blue, green, red = (min(255.0, max(0.0, float(channel) + shift)) for channel in image[0, 0])
    return blue, green, red


_PATTERNS: tuple[Callable[[random.Random, Image], None], ...] = (_bricks, _stripes, _grain, _blobs)


def busy(rng: random.Random, width: int, height: int) -> Image:
    """Full shelves, a crowd, a far shop (height, width, 3): small things, in rows, at several scales."""
    noise = np.random.default_rng(rng.getrandbits(32))
    spread, colorful, cell = rng.uniform(15, 60), rng.uniform(0.1, 0.5), rng.uniform(7, 24)
    image = np.full((height, width, 3), as_floats(material(rng)), np.float32)
    for scale in (1.0, 0.5, 0.25):
        rows = max(1, int(height / (cell * scale)))
        columns = max(1, int(width / (cell * scale * rng.uniform(0.3, 1.5))))
        things = noise.normal(0, spread, (rows, columns, 1)) + noise.normal(0, spread * colorful, (rows, columns, 3))
        things *= noise.random((rows, columns, 1)) < 0.6
        things += noise.normal(0, spread * 0.5, (rows, 1, 1))  # a shelf holds things of a kind
        way = cv2.INTER_NEAREST if rng.random() < 0.4 else cv2.INTER_LINEAR
        image += as_floats(cv2.resize(as_floats(things), (width, height), interpolation=way))
    return as_bytes(cv2.blur(image, (3, 3)).clip(0, 255))


def light_up(rng: random.Random, image: Image) -> None:
    """Light a whole image unevenly, in place: from one side, in pools, and less towards its corners."""
    height, width = image.shape[:2]
    field = 1 + cloud(rng, 40, 24, 2, 2) * rng.uniform(0.05, 0.3) + slope(rng, 40, 24) * rng.uniform(0, 0.25)
    x, y = np.linspace(-1, 1, 40)[None], np.linspace(-1, 1, 24)[:, None]
    field *= 1 - rng.uniform(0.05, 0.45) * (x**2 + y**2) / 2
    gains = np.stack([field * (_UNIT_GAIN * rng.gauss(1, 0.05)) for _ in range(3)], axis=-1)
    spread = cv2.resize(gains.clip(0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    image[:] = as_bytes(cv2.multiply(image, as_bytes(spread), scale=1 / _UNIT_GAIN))
