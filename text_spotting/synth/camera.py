"""What a camera does to a scene: light, blur, grain, fewer pixels, JPEG. Places in the image stay where they are."""

import functools
import math
import random
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from text_spotting.image_files import through_jpeg
from text_spotting.synth.pixels import as_bytes, as_floats
from text_spotting.words import Image

_BANK = 768
_GRAIN_LEVELS = (2.0, 4.0, 7.0, 11.0, 16.0, 22.0)


@dataclass(frozen=True, slots=True)
class Shot:
    """Camera settings for one image; 0 or None leaves a step out.

    Attributes:
        gain: factor on all values; offset: added after it; tint: per-channel factors.
        glare: (x, y, radius, strength), the first three in shares of the width and height.
        bloom: how much bright lights spill over what is near them, 0..1.
        defocus: blur radius (standard deviation) in pixels.
        motion: (length in pixels, angle in degrees).
        shrink: factor >= 1 by which the image is reduced and enlarged again.
        grain: noise level, a place in a fixed scale.
        quality: JPEG quality, 0 for none.
    """

    gain: float = 1.0
    offset: float = 0.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    glare: tuple[float, float, float, float] | None = None
    bloom: float = 0.0
    defocus: float = 0.0
    motion: tuple[float, float] | None = None
    shrink: float = 1.0
    grain: int | None = None
    quality: int = 0

    @property
    def softness(self) -> float:
        """Overall blur in pixels, for judging which words can still be read."""
        smear = self.motion[0] / 3.5 if self.motion else 0.0
        return math.hypot(self.defocus, smear, (self.shrink - 1) * 0.6)


def random_shot(rng: random.Random, scale: float = 1.0, light: float = 0.7, harshness: float = 1.0) -> Shot:
    """Draw camera settings.

    Args:
        scale: sizes the blurs; 1 for images about 640 pixels wide.
        light: how bright the scene is, 0..1: bright ones are not exposed for longer still.
        harshness: how often and how much the camera spoils the image; 1 is usual.
    """
    dark = _happens(rng, 0.12 * harshness)
    gain = rng.uniform(0.3, 0.65) if dark else 1 + harshness * rng.uniform(-0.25, 0.25 - 0.25 * light)
    offset = rng.uniform(0, 14) if dark else harshness * rng.uniform(-12, 24 - 16 * light)
    direction = rng.choice((0.0, 90.0, rng.uniform(0, 180)))
    return Shot(
        gain=gain,
        offset=offset,
        tint=(rng.gauss(1, 0.06), rng.gauss(1, 0.025), rng.gauss(1, 0.06)),
        glare=_random_glare(rng) if _happens(rng, 0.1 * harshness) else None,
        bloom=rng.uniform(0.2, 1.0) if _happens(rng, 0.3) else 0.0,
        defocus=abs(rng.gauss(0, 0.9)) * scale * harshness if _happens(rng, 0.6) else 0.0,
        motion=(rng.uniform(2, 6.5) * scale, direction) if _happens(rng, 0.15 * harshness) else None,
        shrink=rng.uniform(1.1, 1.9) if _happens(rng, 0.25 * harshness) else 1.0,
        grain=_random_grain(rng, dark=dark) if _happens(rng, 0.7 * harshness) else None,
        quality=rng.randint(35, 95) if _happens(rng, 0.8 * harshness) else 0,
    )


def _happens(rng: random.Random, probability: float) -> bool:
    return rng.random() < probability


def _random_glare(rng: random.Random) -> tuple[float, float, float, float]:
    return rng.random(), rng.random(), rng.uniform(0.1, 0.5), rng.uniform(30, 150)


def _random_grain(rng: random.Random, *, dark: bool) -> int:
    level = rng.choices(range(len(_GRAIN_LEVELS)), (45, 30, 14, 7, 3, 1))[0]
    return level + 1 if dark and rng.random() < 0.5 else level


def take(rng: random.Random, scene: Image, shot: Shot) -> Image:
    """Return the image that the camera makes of a scene; the same size."""
    image = scene
    if shot.glare:
        image = _glare(image, shot.glare)
    if shot.bloom:
        image = _bloom(image, shot.bloom)
    if shot.defocus > 0.25:
        image = cv2.GaussianBlur(image, (0, 0), shot.defocus)
    if shot.motion and shot.motion[0] > 1.5:
        image = cv2.filter2D(image, -1, _streak(*shot.motion))
    if shot.shrink > 1.0:
        image = _shrink(rng, image, shot.shrink)
    image = _expose(image, shot)
    if shot.grain is not None:
        image = add_grain(rng, image, min(shot.grain, len(_GRAIN_LEVELS) - 1))
    return through_jpeg(image, shot.quality) if shot.quality else image


def _expose(image: Image, shot: Shot) -> Image:
    levels = np.arange(256, dtype=np.float32)
    table = np.stack([levels * (shot.gain * tint) + shot.offset for tint in shot.tint], axis=-1)
    lut: Image = table.clip(0, 255).astype(np.uint8)[None]
    return as_bytes(cv2.LUT(image, lut))


def _glare(image: Image, glare: tuple[float, float, float, float]) -> Image:
    height, width = image.shape[:2]
    x, y, radius, strength = glare
    columns = np.exp(-0.5 * ((np.arange(width) / width - x) / radius) ** 2)
    rows = np.exp(-0.5 * ((np.arange(height) / height - y) / radius) ** 2) * strength
    light = np.outer(rows, columns).astype(np.uint8)
    return as_bytes(cv2.add(image, cv2.merge([light, light, light])))


def _bloom(image: Image, strength: float) -> Image:
    height, width = image.shape[:2]
    small = cv2.resize(image, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    lights = cv2.subtract(small, np.full_like(small, 205))  # only what is brighter than paper
    spill = cv2.resize(cv2.GaussianBlur(lights, (0, 0), max(1.0, width / 160)), (width, height))
    return as_bytes(cv2.addWeighted(image, 1.0, spill, 1.6 * strength, 0))


def _streak(length: float, angle: float) -> NDArray[np.float32]:
    size = max(3, math.ceil(length) | 1)
    kernel = np.zeros((size, size), np.float32)
    centre, half = size // 2, length / 2
    dx, dy = half * math.cos(math.radians(angle)), half * math.sin(math.radians(angle))
    start, end = (centre - dx, centre - dy), (centre + dx, centre + dy)
    points = [tuple(round(value * 16) for value in point) for point in (start, end)]
    cv2.line(kernel, points[0], points[1], 1.0, 1, cv2.LINE_AA, shift=4)
    return as_floats(kernel / kernel.sum())


def _shrink(rng: random.Random, image: Image, factor: float) -> Image:
    height, width = image.shape[:2]
    small = cv2.resize(
        image, (max(1, round(width / factor)), max(1, round(height / factor))), interpolation=cv2.INTER_AREA
    )
    way = rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LINEAR))
    return as_bytes(cv2.resize(small, (width, height), interpolation=way))


@functools.cache
def _grain_bank(level: int) -> NDArray[np.int8]:
    """Noise that is mostly grey, slightly colored, and slightly smooth, as sensors and their software leave it."""
    noise = np.random.default_rng(level)
    grey = noise.standard_normal((_BANK, _BANK, 1), np.float32)
    mixed = as_floats(0.8 * grey + 0.6 * noise.standard_normal((_BANK, _BANK, 3), np.float32))
    if level % 2:
        mixed = as_floats(cv2.GaussianBlur(mixed, (3, 3), 0.6))
        mixed = mixed / mixed.std()
    return (mixed * _GRAIN_LEVELS[level]).clip(-127, 127).astype(np.int8)


def add_grain(rng: random.Random, image: Image, level: int) -> Image:
    """Add noise of a level (a place in the fixed scale, coarser with each step)."""
    height, width = image.shape[:2]
    bank = _grain_bank(level)
    if height > _BANK or width > _BANK:
        bank = np.tile(bank, (-(-height // _BANK) + 1, -(-width // _BANK) + 1, 1))
    y, x = rng.randrange(bank.shape[0] - height + 1), rng.randrange(bank.shape[1] - width + 1)
    return as_bytes(cv2.add(image, bank[y : y + height, x : x + width], dtype=cv2.CV_8U))
