"""Where writing goes on a picture, and in which perspective."""

import math
import random
from dataclasses import dataclass

import numpy as np

from text_spotting.synth.compose import Canvas
from text_spotting.synth.layout import Block
from text_spotting.synth.pixels import as_floats
from text_spotting.synth.render import CAPITALS, random_pose, transform
from text_spotting.words import FloatArray

_SHRINK = (1.0, 0.75, 0.55)
"""Sizes to try before writing is given up for want of room."""
_WALL_TRIES = 8
_LEAST_WIDTH = 0.4
"""Share of its width, seen from the front, that writing on a receding wall must keep."""
_UNIT = as_floats([[-1, -1], [1, -1], [1, 1], [-1, 1]])


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """Corners (4, 2) of the writing and of the frame around it, and the letters' height in pixels."""

    corners: FloatArray
    frame: FloatArray
    height: float


@dataclass(frozen=True, slots=True)
class Wish:
    """What is looked for.

    Attributes:
        height: of the letters, in pixels, if there is room.
        least: height of the letters in pixels below which they are given up.
        margin: free space around the writing, in heights of the letters.
        roll: how far the camera is turned, in degrees.
        on_walls: probability of taking a wall where there is one.
        tilt: how far writing that hangs freely is turned and leaned; 1 is usual, 0 level.
    """

    height: float
    least: float
    margin: float
    roll: float
    on_walls: float = 0.9
    tilt: float = 1.0


def find_spot(rng: random.Random, canvas: Canvas, laid: Block, wish: Wish) -> Spot | None:
    """Find room on a wall, or where no walls are known anywhere quiet; None where there is none."""
    if not canvas.planes or rng.random() >= wish.on_walls:
        return _anywhere(rng, canvas, laid, wish)
    return _on_wall(rng, canvas, laid, wish)


def _on_wall(rng: random.Random, canvas: Canvas, laid: Block, wish: Wish) -> Spot | None:
    """Take the wall's perspective; letters get smaller with every try."""
    for number in range(_WALL_TRIES):
        height = max(wish.least, wish.height * 0.88**number)
        plane = rng.choice(canvas.planes)
        matrix = plane.matrix
        middle = as_floats([rng.uniform(0, plane.width), rng.uniform(0, plane.height * 0.85)])
        flat_height = height / max(1e-3, _scale_at(matrix, middle))
        scale = flat_height / (CAPITALS * laid.em)
        half = as_floats([laid.width * scale / 2, laid.height * scale / 2])
        flat, outer = middle + _UNIT * half, middle + _UNIT * (half + flat_height * wish.margin)
        if outer.min() < 0 or (outer.max(axis=0) > (plane.width, plane.height)).any():
            continue
        frame, corners = transform(outer, matrix), transform(flat, matrix)
        narrowed = float(np.linalg.norm(corners[1] - corners[0])) * laid.height / max(1.0, laid.width * _tall(corners))
        if narrowed > _LEAST_WIDTH and canvas.is_free(frame):
            return Spot(corners, frame, height)
    return None


def _tall(corners: FloatArray) -> float:
    return float(np.linalg.norm(corners[3] - corners[0]) + np.linalg.norm(corners[2] - corners[1])) / 2


def _scale_at(matrix: FloatArray, point: FloatArray) -> float:
    """How many picture pixels one flat pixel of height takes at a point."""
    ends = transform(as_floats([point, point + as_floats([0, 1])]), matrix)
    return float(np.linalg.norm(ends[1] - ends[0]))


def _anywhere(rng: random.Random, canvas: Canvas, laid: Block, wish: Wish) -> Spot | None:
    """Take a perspective of its own."""
    scale = wish.height / (CAPITALS * laid.em)
    leaned = random_pose(rng, wish.roll, wish.tilt).corners(
        laid.width * scale * math.exp(rng.gauss(0, 0.1)), laid.height * scale
    )
    overhang = 0.15 if rng.random() < 0.08 else 0.0
    for shrink in _SHRINK:
        height = wish.height * shrink
        corners = as_floats(leaned * shrink)
        frame = grown(corners, height * wish.margin)
        place = canvas.find_place(rng, frame, overhang)
        if place is not None:
            return Spot(as_floats(corners + (place - frame)), place, height)
        if height < wish.least * 1.3:
            break
    return None


def grown(corners: FloatArray, by: float) -> FloatArray:
    """Push each corner of a quad outwards along its two sides."""
    before, after = corners[[3, 0, 1, 2]], corners[[1, 2, 3, 0]]
    outward = _unit(corners - before) + _unit(corners - after)
    return as_floats(corners + outward * by)


def _unit(vectors: FloatArray) -> FloatArray:
    return as_floats(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6))
