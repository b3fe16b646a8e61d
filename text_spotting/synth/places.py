"""Made-up places seen in perspective: corridors and streets with shop fronts, single walls, heaps of boxes.

They come with their planes, so that signs can hang on the walls instead of floating in front of them.
"""

import functools
import random
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike

from text_spotting.fonts import Mask
from text_spotting.synth.materials import busy, light_up, material, plain, related, surface
from text_spotting.synth.pixels import as_bytes, as_floats
from text_spotting.synth.render import Pose
from text_spotting.synth.style import Color
from text_spotting.words import FloatArray, Image

_FRONTS = 100
_FRONT_SIZE = (480, 192)

Patch = Callable[[random.Random, int, int], Image]
"""Draws a piece of some image: (random numbers, width, height)."""


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A wall: its flat size in pixels, and where its corners (4, 2), clockwise from the top left, are to be seen."""

    width: int
    height: int
    corners: FloatArray
    matrix: FloatArray
    """3x3, from the flat wall to the image."""

    @classmethod
    def between(cls, width: int, height: int, corners: ArrayLike) -> "Plane":
        """The wall of a flat size that is seen at ``corners``."""
        flat = as_floats([[0, 0], [width, 0], [width, height], [0, height]])
        seen = as_floats(corners)
        return cls(width, height, seen, as_floats(cv2.getPerspectiveTransform(flat, seen)))


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A background (H, W, 3), the walls in it, and outlines (K, 2) of what nobody writes on; unknown in a photo."""

    image: Image
    planes: tuple[Plane, ...] = ()
    kept_free: tuple[FloatArray, ...] = ()


def make_place(rng: random.Random, width: int, height: int, patch: Patch, roll: float) -> Place:
    """Make up a place as a camera turned by ``roll`` degrees sees it."""
    kind = rng.random()
    if kind < 0.5:
        return _corridor(rng, width, height, patch, roll)
    if kind < 0.8:
        return _facade(rng, width, height, patch, roll)
    image = boxes(rng, width, height)
    light_up(rng, image)
    return Place(image)


def _corridor(rng: random.Random, width: int, height: int, patch: Patch, roll: float) -> Place:
    image = plain(rng, material(rng), width, height, 20)
    outer = Pose(angle=roll).corners(width * 1.35, height * 1.45) + as_floats([width / 2, height / 2])
    vanishing = as_floats([width * rng.uniform(0.15, 0.85), height * rng.uniform(0.3, 0.6)])
    inner = vanishing + (outer - vanishing) * rng.uniform(0.1, 0.45)
    (o1, o2, o3, o4), (i1, i2, i3, i4) = outer, inner
    indoors = rng.random() < 0.65
    size = width // 2, height // 2
    top = _ceiling(rng, *size) if indoors else plain(rng, _sky(rng), *size, 40)
    _lay(image, top, as_floats([o1, o2, i2, i1]))
    _lay(image, surface(rng, *size), as_floats([i4, i3, o3, o4]))
    planes = []
    for corners in ([i1, i2, i3, i4], [o1, i1, i4, o4], [i2, o2, o3, i3]):
        plane = Plane.between(int(size[0] * 1.5), size[1], corners)
        _lay(image, _side(rng, plane.width, plane.height, patch), plane.corners)
        planes.append(plane)
    if indoors and rng.random() < 0.6:
        _reflect(rng, image, inner)
    people = _people(rng, image)
    light_up(rng, image)
    return Place(image, tuple(planes), people)


def _facade(rng: random.Random, width: int, height: int, patch: Patch, roll: float) -> Place:
    pose = Pose(angle=roll, turn=rng.uniform(-0.3, 0.3), pitch=rng.gauss(0, 0.06))
    corners = pose.corners(width * 1.9, height * 1.6) + as_floats([width / 2, height / 2])
    plane = Plane.between(width, height, corners)
    image = plain(rng, material(rng), width, height, 20)
    flat = shop_front(rng, width, height, patch) if rng.random() < 0.7 else surface(rng, width, height)
    _lay(image, flat, plane.corners)
    people = _people(rng, image) if rng.random() < 0.4 else ()
    light_up(rng, image)
    return Place(image, (plane,), people)


def _lay(image: Image, flat: Image, corners: FloatArray) -> None:
    """Paint a flat image into a quad, in place."""
    height, width = flat.shape[:2]
    low = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(corners.max(axis=0)), image.shape[1::-1]).astype(int)
    if (high <= low).any():
        return
    matrix = Plane.between(width, height, corners - low).matrix
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    region = np.ascontiguousarray(image[low[1] : high[1], low[0] : high[0]])
    cv2.warpPerspective(flat, matrix, size, dst=region, borderMode=cv2.BORDER_TRANSPARENT)
    image[low[1] : high[1], low[0] : high[0]] = region


def _side(rng: random.Random, width: int, height: int, patch: Patch) -> Image:
    """A shop front: a new one, or more often a piece of one made before, in another light."""
    if rng.random() < 0.3:
        return shop_front(rng, width, height, patch)
    front = _kept_front(rng.randrange(_FRONTS))
    wide = rng.randint(_FRONT_SIZE[0] // 2, _FRONT_SIZE[0])
    x = rng.randrange(_FRONT_SIZE[0] - wide + 1)
    piece = cv2.resize(front[:, x : x + wide], (width, height), interpolation=cv2.INTER_LINEAR)
    tinted = cv2.multiply(piece, np.full_like(piece, tint(rng, 128)), scale=1 / 128)
    return as_bytes(cv2.flip(tinted, 1) if rng.random() < 0.5 else tinted)


@functools.lru_cache(maxsize=_FRONTS)
def _kept_front(number: int) -> Image:
    return shop_front(random.Random(number), *_FRONT_SIZE, busy)


def tint(rng: random.Random, level: float) -> Color:
    """A grey of about this level, a little colored: light, or paint that has aged."""
    level *= rng.uniform(0.5, 1.3)
    blue, green, red = (min(255.0, level * rng.gauss(1, 0.06)) for _ in range(3))
    return blue, green, red


def shop_front(rng: random.Random, width: int, height: int, patch: Patch) -> Image:
    """A flat wall (height, width, 3) of shops: windows full of things, posters, doors, bands for the name above."""
    wall = surface(rng, width, height)
    bands = rng.random() < 0.75
    top, foot = int(height * rng.uniform(0.05, 0.2)), int(height * rng.uniform(0.85, 1.0))
    x = 0
    while x < width - 12:
        bay = min(width - x, int(width * rng.uniform(0.1, 0.4)))
        sill = top + int(height * rng.uniform(0.12, 0.25)) if bands else top
        if bands:
            wall[top:sill, x : x + bay] = plain(rng, material(rng), bay, sill - top, 20)
        _fill_bay(rng, wall[sill:foot, x : x + bay], patch)
        x += bay + rng.choice((0, rng.randint(2, 14)))
    return wall


def _fill_bay(rng: random.Random, bay: Image, patch: Patch) -> None:
    height, width = bay.shape[:2]
    if min(height, width) < 8:
        return
    kind = rng.random()
    if kind < 0.55:  # a window
        inside = busy(rng, width, height) if rng.random() < 0.6 else patch(rng, width, height)
        bay[:] = (as_floats(inside) * rng.uniform(0.4, 1.1) + rng.uniform(0, 70)).clip(0, 255)
        for _ in range(rng.randint(0, 4)):
            _goods(rng, bay)
        cv2.rectangle(bay, (0, 0), (width - 1, height - 1), related(rng, bay), rng.choice((1, 2, 4)))
    elif kind < 0.7:
        bay[:] = plain(rng, material(rng), width, height, 30)
    elif kind < 0.82:  # an opening
        bay[:] = plain(rng, (14, 16, 20), width, height, 25)


def _goods(rng: random.Random, bay: Image) -> None:
    """A shelf of things in different colors."""
    height, width = bay.shape[:2]
    tall, y = max(3, int(height * rng.uniform(0.04, 0.2))), rng.randrange(height)
    x, color = rng.randrange(width), material(rng)
    for _ in range(rng.randint(2, 9)):
        wide = max(2, int(tall * rng.uniform(0.3, 1.2)))
        cv2.rectangle(bay, (x, y), (x + wide, y + tall), color if rng.random() < 0.5 else material(rng), -1)
        x += wide + 1


def _sky(rng: random.Random) -> Color:
    level = rng.uniform(120, 250)
    return min(255.0, level * 1.1), level, level * rng.uniform(0.75, 1.0)


def _ceiling(rng: random.Random, width: int, height: int) -> Image:
    ceiling = plain(rng, material(rng), width, height, 40)
    lamp = (255, 255, 255) if rng.random() < 0.6 else (200, 235, 255)
    step, upright = rng.randint(20, 70), rng.random() < 0.5
    long, thick = rng.randint(4, 60), rng.randint(2, 9)
    for y in range(0, height, step if upright else long + 14):
        for x in range(0, width, long + 14 if upright else step):
            if rng.random() < 0.85:
                cv2.rectangle(
                    ceiling, (x, y), (x + (long if upright else thick), y + (thick if upright else long)), lamp, -1
                )
    return ceiling


def _reflect(rng: random.Random, image: Image, inner: FloatArray) -> None:
    """A polished floor shows the walls upside down."""
    line = int(inner[2:, 1].mean())
    depth = min(line, image.shape[0] - line)
    if depth < 8:
        return
    mirrored = cv2.blur(cv2.flip(image[line - depth : line], 0), (3, 15))
    share = rng.uniform(0.1, 0.4)
    floor = image[line : line + depth]
    floor[:] = cv2.addWeighted(floor, 1 - share, mirrored, share, 0)


def _people(rng: random.Random, image: Image) -> tuple[FloatArray, ...]:
    count = rng.choice((0, 0, 1, 2, 4))
    masks = [person(rng, image, image.shape[0] * rng.uniform(0.15, 0.9)) for _ in range(count)]
    return tuple(_hull(mask) for mask in masks if mask.any())


def _hull(mask: Mask) -> FloatArray:
    return as_floats(cv2.convexHull(cv2.findNonZero(mask)))[:, 0]


def person(rng: random.Random, image: Image, tall: float) -> Mask:
    """Paint someone from behind, ``tall`` pixels, and return the mask (H, W) of the silhouette."""
    height, width = image.shape[:2]
    x, feet = rng.randrange(width), height * rng.uniform(0.75, 1.2)
    figure, mask = np.zeros_like(image), np.zeros((height, width), np.uint8)
    legs, top = (_cloth(rng) for _ in range(2))
    hair = rng.choice(((16, 17, 20), (16, 17, 20), (60, 80, 110), (30, 40, 60)))
    stride, arm = rng.uniform(0.02, 0.06), rng.uniform(0.085, 0.12)
    parts: tuple[tuple[float, float, float, float, Color], ...] = (
        (-stride, 0.24, 0.04, 0.25, legs),
        (stride, 0.24, 0.04, 0.25, legs),
        (-arm, 0.62, 0.026, 0.16, top),
        (arm, 0.62, 0.026, 0.16, top),
        (0.0, 0.62, 0.085, 0.19, top),
        (0.0, 0.78, 0.075, 0.04, top),
        (0.0, 0.91, 0.042, 0.06, hair),
    )
    for aside, middle, wide, half, color in parts:
        centre = (round(x + aside * tall), round(feet - middle * tall))
        axes = (max(1, round(wide * tall)), max(1, round(half * tall)))
        cv2.ellipse(figure, centre, axes, 0, 0, 360, color, -1)
        cv2.ellipse(mask, centre, axes, 0, 0, 360, 255, -1)
    _stand(image, figure, mask, max(1.0, tall / 60), rng.choice((-1, 1)))
    return mask


def _cloth(rng: random.Random) -> Color:
    blue, green, red = material(rng)
    dark = rng.uniform(0.15, 0.7)
    return blue * dark, green * dark, red * dark


def _stand(image: Image, figure: Image, mask: Mask, softness: float, lit_from: int) -> None:
    """Blend a figure in: soft at its edge, as it stands nearer or farther than what is sharp, and lit from a side."""
    x, y, w, h = cv2.boundingRect(mask)
    if w < 2 or h < 2:
        return
    region = image[y : y + h, x : x + w]
    size = 2 * round(softness) + 1
    soft = as_floats(cv2.blur(mask[y : y + h, x : x + w], (size, size)))[..., None] / 255
    light = np.linspace(1 - 0.4 * lit_from, 1 + 0.4 * lit_from, w, dtype=np.float32)[None, :, None]
    body = cv2.blur(figure[y : y + h, x : x + w], (size, size)) * light
    region[:] = (region + (body - region) * soft).clip(0, 255)


def boxes(rng: random.Random, width: int, height: int) -> Image:
    """A wall or sky, a floor, and boxes, panes and posts in front of them."""
    image = surface(rng, width, height)
    horizon = int(height * rng.uniform(0.55, 1.1))
    if horizon < height - 8:
        image[horizon:] = surface(rng, width, height - horizon)
    for _ in range(rng.randint(2, 9)):
        w, h = int(width * rng.uniform(0.04, 0.5)), int(height * rng.uniform(0.08, 0.6))
        x, y = rng.randrange(-w // 2, width - w // 2), rng.randrange(-h // 2, height - h // 2)
        x1, y1 = max(0, x), max(0, y)
        _box(rng, image[y1 : max(y1, y + h), x1 : max(x1, x + w)])
    return image


def _box(rng: random.Random, region: Image) -> None:
    height, width = region.shape[:2]
    if width < 8 or height < 8:
        return
    piece = surface(rng, width, height) if rng.random() < 0.5 else plain(rng, material(rng), width, height, 20)
    if rng.random() < 0.2:  # a pane of glass: what is behind shines through
        piece = as_bytes(cv2.addWeighted(piece, 0.6, region, 0.4, 0))
    region[:] = piece
    if rng.random() < 0.6:
        cv2.rectangle(region, (0, 0), (width - 1, height - 1), material(rng), rng.choice((1, 2, 4)))
