"""Frames: the turned rectangles that words are read in.

A frame is (3, 2): a corner, the side along the text, the side across.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from text_spotting.errors import UserError
from text_spotting.words import FloatArray, Image

SAMPLES = 2
"""Samples a pooled pixel and axis."""


MARGIN = 0.04
"""What is read around a word, as a share of its height, unless a configuration's ``margin`` says otherwise."""

ELONGATED = 2.0
"""A shape this many times as long as wide is taken to be read along its length even where it stands on end."""


def reading_frame(points: ArrayLike) -> FloatArray:
    """The frame (3, 2) of a polygon.

    It has the polygon's moments up to the second: centre, direction and extent of a rectangle come out as they
    are. The text runs along the longer side, from left to right; an upright shape that is not ``ELONGATED`` is
    taken for a short word between its shorter sides.
    """
    moments = cv2.moments(np.asarray(points, dtype=np.float32).reshape(-1, 1, 2))
    if not moments["m00"]:
        low, high = np.min(points, axis=0), np.max(points, axis=0)
        return np.array([low, [high[0] - low[0], 0], [0, high[1] - low[1]]], dtype=np.float32)
    centre = np.array([moments["m10"], moments["m01"]]) / moments["m00"]
    return _frame(centre, *(moments[name] / moments["m00"] for name in ("mu20", "mu11", "mu02")))


def _frame(centre: NDArray[np.float64], xx: float, xy: float, yy: float) -> FloatArray:
    """The frame (3, 2) of a rectangle with this centre and these second moments."""
    spread = math.hypot(xx - yy, 2 * xy)
    longer, shorter = (math.sqrt(max(3 * (xx + yy + sign * spread) / 2, 0.0)) for sign in (1, -1))
    angle = math.atan2(2 * xy, xx - yy) / 2
    if abs(angle) > math.pi / 4 and longer < ELONGATED * shorter:
        angle -= math.copysign(math.pi / 2, angle)
        longer, shorter = shorter, longer
    along = longer * np.array([math.cos(angle), math.sin(angle)])
    down = shorter * np.array([-math.sin(angle), math.cos(angle)])
    return np.array([centre - along - down, 2 * along, 2 * down], dtype=np.float32)


FORWARD = 0.5
"""Cosine of the angle between a word's first edge and its frame's direction above which it is read forward."""


def reads_forward(edges: Any, along: Any) -> Any:
    """Whether words are read as their frames have it, neither upside down nor across; arrays or tensors alike.

    Args:
        edges: (..., 2) from a word's first corner to its second, which is how its text runs.
        along: (..., 2) the side of its frame along the text.

    Returns:
        (...) booleans; false where either has no length.
    """
    lengths = ((edges**2).sum(-1) * (along**2).sum(-1)) ** 0.5
    return (edges * along).sum(-1) > FORWARD * lengths


def mask_frames(boxes: FloatArray, masks: FloatArray, threshold: float) -> FloatArray:
    """The frames (N, 3, 2) of masks, as ``models.frames.reading_frames`` has them for tensors.

    Args:
        boxes: (N, 4) x1, y1, x2, y2, in pixels of any image.
        masks: (N, M, M) probability that a cell of the box belongs to the word.
        threshold: from which a cell does; where none does, the whole box is taken.
    """
    inside = np.asarray(masks > threshold, np.float64)
    inside[~inside.any(axis=(1, 2))] = 1
    size = np.asarray(boxes[:, 2:] - boxes[:, :2], np.float64)
    cells = masks.shape[-1]
    places = (np.arange(cells) + 0.5) / cells
    mass = inside.sum(axis=(1, 2))
    columns, rows = inside.sum(axis=1) / mass[:, None], inside.sum(axis=2) / mass[:, None]
    centre = np.stack([columns @ places, rows @ places], axis=1)
    across, down = places - centre[:, :1], places - centre[:, 1:]
    # A cell is not a point: it spreads by a twelfth of its size squared.
    variance = np.stack([(columns * across**2).sum(axis=1), (rows * down**2).sum(axis=1)], axis=1)
    xx, yy = ((variance + 1 / (12 * cells**2)) * size**2).T
    xy = np.einsum("nij,ni,nj->n", inside, down, across) / mass * size[:, 0] * size[:, 1]
    centres = boxes[:, :2] + centre * size
    frames = [_frame(*moments) for moments in zip(centres, xx, xy, yy, strict=True)]
    return np.asarray(frames, np.float32).reshape(-1, 3, 2)


def widen(frames: FloatArray, margin: float) -> FloatArray:
    """Frames (N, 3, 2) with ``margin`` times their height more on each side."""
    corner, along, across = np.moveaxis(np.asarray(frames, np.float32), 1, 0)
    height = np.linalg.norm(across, axis=1, keepdims=True)
    length = np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-3)
    more_along, more_across = along * (margin * height / length), across * margin
    return np.stack([corner - more_along - more_across, along + 2 * more_along, across + 2 * more_across], axis=1)


def upside_down(frames: FloatArray) -> FloatArray:
    """The same rectangles (N, 3, 2), read the other way."""
    corner, along, across = np.moveaxis(np.asarray(frames, np.float32), 1, 0)
    return np.stack([corner + along + across, -along, -across], axis=1)


@dataclass(frozen=True, slots=True)
class FrameJitter:
    """How far training's frames are off, as found ones are: mostly a little, sometimes much (Laplace's distribution).

    Attributes:
        along: scale of the shift of a word's two ends, as a share of its height.
        across: the same of its top and bottom.
        centre: shift that all sides vary around, positive outward; the margin that words are read with.
        deepest, farthest: no side cuts off more, or lies farther out.
        angle: scale of the rotation in degrees.
        slant: standard deviation of the shear.
    """

    along: float = 0.12
    across: float = 0.07
    centre: float = MARGIN
    deepest: float = 0.2
    farthest: float = 0.6
    angle: float = 2.0
    slant: float = 0.08

    @classmethod
    def of(cls, settings: Mapping[str, float] | None = None) -> "FrameJitter":
        """Make what a configuration names; what it leaves out is as above.

        Raises:
            UserError: an unknown key, or a value that is no number or negative where only ``centre`` may be.
        """
        given = dict(settings or {})
        known = [field.name for field in fields(cls)]
        if unknown := sorted(set(given) - set(known)):
            raise UserError(f"frame_jitter: {', '.join(unknown)} is not a known key; use {', '.join(known)}")
        for key, value in given.items():
            if not isinstance(value, int | float) or (value < 0 and key != "centre"):
                raise UserError(f"frame_jitter: {key} must be a number of 0 or more, not {value!r}")
        return cls(**given)

    def __call__(self, frame: FloatArray, rng: Generator) -> FloatArray:
        """A frame (3, 2: corner, along, across) somewhat beside the given one."""
        corner, along, across = np.asarray(frame, np.float64)
        height = max(float(np.linalg.norm(across)), 1e-3)
        width = max(float(np.linalg.norm(along)), 1e-3)
        left, right = self._shifts(self.along, rng) * height / width
        top, bottom = self._shifts(self.across, rng)
        corner = corner - left * along - top * across
        along, across = along * (1 + left + right), across * (1 + top + bottom)
        centre = corner + (along + across) / 2
        angle = np.radians(rng.laplace(0, self.angle))
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        along, across = along @ turn, across @ turn
        across = across + along / width * height * rng.normal(0, self.slant)
        return np.array([centre - (along + across) / 2, along, across], np.float32)

    def _shifts(self, scale: float, rng: Generator) -> FloatArray:
        """Of two opposite sides, in heights."""
        return np.clip(rng.laplace(self.centre, scale, 2), -self.deepest, self.farthest).astype(np.float32)


def cut_out(image: Image, frame: FloatArray, size: tuple[int, int]) -> Image:
    """Pool the word in a frame (3, 2: corner, along, across) into an image of height, width ``size``.

    Each pixel is the mean of ``SAMPLES`` x ``SAMPLES`` bilinear samples; beyond the image its edge goes on.
    """
    height, width = (SAMPLES * side for side in size)
    corner, along, across = np.asarray(frame, np.float64)
    # Samples lie at half pixels, in the cut-out as in the image.
    step_x, step_y = along / width, across / height
    start = corner + (step_x + step_y) / 2 - 0.5
    fine = cv2.warpAffine(
        image,
        np.column_stack([step_x, step_y, start]),
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cv2.resize(fine, (size[1], size[0]), interpolation=cv2.INTER_AREA)
