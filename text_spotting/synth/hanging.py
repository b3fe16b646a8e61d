"""Where writing goes on an image, and in which perspective."""

import itertools
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
_SMALLER = 0.93 ** np.arange(20)
"""Sizes to try on a wall, one spot each."""
_CHOICE = 3
"""Free spots on a wall of which the plainest is taken."""
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
class SpotOptions:
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


def find_spot(rng: random.Random, canvas: Canvas, laid: Block, options: SpotOptions) -> Spot | None:
    """Find room on a wall, or where no walls are known anywhere quiet; None where there is none."""
    if not canvas.planes or rng.random() >= options.on_walls:
        return _anywhere(rng, canvas, laid, options)
    return _on_wall(rng, canvas, laid, options)


def _on_wall(rng: random.Random, canvas: Canvas, laid: Block, options: SpotOptions) -> Spot | None:
    """Take the perspective of a wall: many spots are tried on one or two walls, with ever smaller letters."""
    for plane in rng.sample(canvas.planes, min(2, len(canvas.planes))):
        heights = np.maximum(options.least, options.height * _SMALLER)
        middles = as_floats([(rng.random(), rng.random() * 0.85) for _ in heights]) * (plane.width, plane.height)
        flat_heights = heights / _scale_at(plane.matrix, as_floats(middles))
        halves = (flat_heights / (2 * CAPITALS * laid.em))[:, None] * (laid.width, laid.height)
        flats = middles[:, None] + _UNIT * halves[:, None]
        outers = flats + _UNIT * (flat_heights * options.margin)[:, None, None]
        fits = (outers >= 0).all(axis=(1, 2)) & (outers <= (plane.width, plane.height)).all(axis=(1, 2))
        if not fits.any():
            continue
        corners, frames = (transform(as_floats(quads[fits]), plane.matrix) for quads in (flats, outers))
        wide = _narrowed(corners, laid.width / laid.height) > _LEAST_WIDTH
        hung = zip(corners[wide], frames[wide], heights[fits][wide], strict=True)
        free = (Spot(quad, frame, float(height)) for quad, frame, height in hung if canvas.is_free(frame))
        spots = list(itertools.islice(free, _CHOICE))
        if spots:
            return min(spots, key=lambda spot: canvas.spread(spot.corners))
    return None


def _scale_at(matrix: FloatArray, points: FloatArray) -> FloatArray:
    """How many image pixels one flat pixel of height takes at each point (N, 2)."""
    ends = transform(as_floats(np.stack([points, points + np.array([0, 1])], axis=1)), matrix)
    return as_floats(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).clip(1e-3))


def _narrowed(corners: FloatArray, aspect: float) -> FloatArray:
    """By what factor quads (N, 4, 2) are narrower than boards of that width over height."""
    sides = np.linalg.norm(corners - corners[:, [1, 2, 3, 0]], axis=2)
    return as_floats((sides[:, 0] + sides[:, 2]) / (sides[:, 1] + sides[:, 3]).clip(1e-3) / aspect)


def _anywhere(rng: random.Random, canvas: Canvas, laid: Block, options: SpotOptions) -> Spot | None:
    """Take a perspective of its own."""
    scale = options.height / (CAPITALS * laid.em)
    leaned = random_pose(rng, options.roll, options.tilt).corners(
        laid.width * scale * math.exp(rng.gauss(0, 0.1)), laid.height * scale
    )
    overhang = 0.15 if rng.random() < 0.08 else 0.0
    for shrink in _SHRINK:
        height = options.height * shrink
        corners = as_floats(leaned * shrink)
        frame = grown(corners, height * options.margin)
        place = canvas.find_place(rng, frame, overhang)
        if place is not None:
            return Spot(as_floats(corners + (place - frame)), place, height)
        if height < options.least * 1.3:
            break
    return None


def grown(corners: FloatArray, by: float) -> FloatArray:
    """Push each corner of a quad outwards along its two sides."""
    before, after = corners[[3, 0, 1, 2]], corners[[1, 2, 3, 0]]
    outward = _unit(corners - before) + _unit(corners - after)
    return as_floats(corners + outward * by)


def _unit(vectors: FloatArray) -> FloatArray:
    return as_floats(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6))
