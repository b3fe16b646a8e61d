"""Text drawn flat: a coverage mask and the exact place of every character in it."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from text_spotting.fonts import Face, Mask, draws, glyph, kerning
from text_spotting.geometry import box_to_polygon
from text_spotting.synth.pixels import as_bytes
from text_spotting.words import FloatArray

SIZES = (32, 64, 128)
"""Pixels per em that glyphs are drawn at; what lies between is left to the warp, so that the glyph cache is hit."""
CAPITALS = 0.72
"""Height of capital letters in ems, about."""
BEND_STEPS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """A drawn word.

    Attributes:
        mask: coverage (H, W), 0..255, with the word's ink touching all four borders.
        chars: (N, 4, 2) corners of every character's ink, clockwise from its top left.
        outline: (K, 2) polygon around the word's ink, clockwise from the top left; 4 points unless it is bent.
        baseline: y of the baseline, which lies below the mask when no character reaches it.
    """

    mask: Mask
    chars: FloatArray
    outline: FloatArray
    baseline: float


def size_for(height: float) -> int:
    """Smallest size to draw at, so that letters ``height`` pixels tall come out by shrinking rather than by growing."""
    wanted = height * 1.25
    return next((size for size in SIZES if size >= wanted), SIZES[-1])


def draw_word(face: Face, size: int, text: str, spacing: float = 0.0) -> Ink | None:
    """Draw a word at ``size`` pixels per em, with ``spacing`` extra pixels between characters.

    Returns None when nothing would be seen, or the face lacks one of the marks.
    """
    if not text.isalnum() and not draws(face, text):
        return None
    placed, pen, last = [], 0.0, ""
    for char in text:
        if last:
            pen += spacing + size * kerning(face, last + char)
        drawn = glyph(face, size, char)
        if drawn.mask.size:
            placed.append((round(pen) + drawn.left, drawn.top, drawn.mask))
        pen += drawn.advance
        last = char
    if not placed:
        return None
    return _assemble(placed)


def _assemble(placed: Sequence[tuple[int, int, Mask]]) -> Ink:
    boxes = np.array([(x, y, x + m.shape[1], y + m.shape[0]) for x, y, m in placed], np.int32)
    left, top = int(boxes[:, 0].min()), int(boxes[:, 1].min())
    boxes -= np.array([left, top, left, top], np.int32)
    width, height = int(boxes[:, 2].max()), int(boxes[:, 3].max())
    mask = np.zeros((height, width), np.uint8)
    for (x1, y1, x2, y2), (_, _, drawn) in zip(boxes.tolist(), placed, strict=True):
        target = mask[y1:y2, x1:x2]
        np.maximum(target, drawn, out=target)
    chars = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2).astype(np.float32)
    return Ink(mask, chars, box_to_polygon([0, 0, width, height]), float(-top))


def bend(ink: Ink, depth: float) -> Ink:
    """Bow a word's baseline like a shallow arch.

    Args:
        depth: how far the middle rises above the ends, in heights of the word; negative sags.
    """
    height, width = ink.mask.shape
    rise = depth * height
    top = math.ceil(abs(rise))
    columns = np.arange(width, dtype=np.float32)
    shift = _arch(columns, width, rise)
    rows = np.arange(height + top, dtype=np.float32)[:, None] - (top if rise > 0 else 0) + shift[None]
    mask = as_bytes(cv2.remap(ink.mask, np.broadcast_to(columns, rows.shape).copy(), rows, cv2.INTER_LINEAR))
    offset = float(top if rise > 0 else 0)

    def move(points: FloatArray) -> FloatArray:
        moved = points.copy()
        moved[..., 1] += offset - _arch(points[..., 0], width, rise)
        return moved

    along = np.linspace(0, width, BEND_STEPS, dtype=np.float32)
    upper = np.stack([along, np.zeros_like(along)], axis=1)
    lower = np.stack([along[::-1], np.full_like(along, height)], axis=1)
    return Ink(mask, move(ink.chars), move(np.concatenate([upper, lower])), ink.baseline + offset)


def _arch(x: FloatArray, width: int, rise: float) -> FloatArray:
    """How far each column rises: 0 at both ends, ``rise`` in the middle."""
    return (rise * (1 - (2 * x / max(1, width) - 1) ** 2)).astype(np.float32)


def transform(points: FloatArray, matrix: FloatArray) -> FloatArray:
    """Send (..., 2) points through a 3x3 projective matrix."""
    flat = points.reshape(-1, 1, 2).astype(np.float32)
    return cv2.perspectiveTransform(flat, matrix).reshape(points.shape).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Pose:
    """How a board hangs in front of the camera.

    Attributes:
        angle: rotation in degrees, clockwise on the screen.
        turn: perspective about the upright axis: the share by which one side is shorter than the other, signed.
        pitch: perspective about the level axis: the same for top and foot.
        slant: how far the writing climbs or falls while upright edges stay upright, in heights per width.
        shear: how far letters lean while lines stay level, in widths per height.
    """

    angle: float = 0.0
    turn: float = 0.0
    pitch: float = 0.0
    slant: float = 0.0
    shear: float = 0.0

    def corners(self, width: float, height: float) -> FloatArray:
        """Corners (4, 2) around the origin, clockwise from the top left, of a board ``width`` x ``height`` pixels."""
        x, y = width / 2, height / 2
        corners = np.array([[-x, -y], [x, -y], [x, y], [-x, y]], np.float32)
        corners[[0, 3] if self.turn > 0 else [1, 2], 1] *= 1 - abs(self.turn)
        corners[:, 0] *= 1 - abs(self.turn) * 0.6  # a board seen from the side is also narrower
        corners[[0, 1] if self.pitch > 0 else [2, 3], 0] *= 1 - abs(self.pitch)
        corners[:, 1] += corners[:, 0] * self.slant
        corners[:, 0] -= corners[:, 1] * self.shear
        cos, sin = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        return (corners @ np.array([[cos, sin], [-sin, cos]], np.float32)).astype(np.float32)


def random_pose(rng: random.Random, roll: float = 0.0, tilt: float = 1.0) -> Pose:
    """Draw a pose as cameras on the move see signs: mostly near level, often from the side, sometimes steep.

    Args:
        roll: how far the camera itself is turned, in degrees.
        tilt: how much of all that there is; 0 hangs every board level and seen from the front.
    """
    from_side = rng.random() < 0.4
    angle = roll + tilt * (rng.gauss(0, 3) if rng.random() < 0.9 else rng.gauss(0, 16))
    return Pose(
        angle=angle if rng.random() >= 0.02 * tilt else angle + rng.choice((-90, 90)),
        turn=tilt * (rng.uniform(-0.45, 0.45) if from_side else rng.gauss(0, 0.06)),
        pitch=tilt * (rng.uniform(-0.25, 0.25) if rng.random() < 0.2 else rng.gauss(0, 0.04)),
        slant=tilt * rng.gauss(0, 0.16) if from_side else 0.0,
        shear=tilt * rng.gauss(0, 0.06),
    )


def random_roll(rng: random.Random) -> float:
    """Degrees that a hand-held or worn camera is turned: often a little, now and then a lot."""
    return rng.gauss(0, 4) if rng.random() < 0.6 else rng.gauss(0, 13)


def random_height(rng: random.Random, low: float, high: float) -> float:
    """Draw a height of letters in pixels: most often near twice the least, seldom near the greatest."""
    return math.exp(rng.triangular(math.log(low), math.log(high), math.log(min(high, low * 2))))
