"""Views of a labelled image for training; every transform keeps words and pixels in step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from shapely.geometry import box

from text_spotting.geometry import to_shape
from text_spotting.image_files import through_jpeg
from text_spotting.words import Image, Word

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """An image and the words in it, in its own pixels.

    Attributes:
        source: where it comes from.
    """

    image: Image
    words: Sequence[Word]
    source: str = ""


def warp(sample: Sample, matrix: Matrix, size: tuple[int, int], min_visible: float = 0.9) -> Sample:
    """Move a sample by a 2x3 affine matrix into an image of width, height ``size``.

    A word that stays with less than ``min_visible`` of its area is cut and becomes don't care; one that leaves
    the image is dropped.
    """
    image = cv2.warpAffine(sample.image, matrix, size, borderValue=border_color(sample.image))
    frame = box(0, 0, *size)
    moved = (_move(word, matrix, frame, min_visible) for word in sample.words)
    return replace(sample, image=image, words=[word for word in moved if word is not None])


def border_color(image: Image) -> tuple[float, float, float]:
    """The color around a warped image: its own mean, which no network mistakes for an edge of text."""
    blue, green, red = image.reshape(-1, 3).mean(axis=0)
    return float(blue), float(green), float(red)


def _move(word: Word, matrix: Matrix, frame: object, min_visible: float) -> Word | None:
    polygon = (word.polygon @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    shape = to_shape(polygon)
    if shape.area <= 0:
        return None
    visible = shape.intersection(frame).area / shape.area
    if visible < 0.02:
        return None
    return replace(word, polygon=polygon, ignore=word.ignore or visible < min_visible)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Gives images that were squeezed when they were stored their own width, height ``size`` back."""

    size: tuple[int, int]

    def __call__(self, sample: Sample, rng: Generator) -> Sample:
        height, width = sample.image.shape[:2]
        return warp(sample, np.diag([self.size[0] / width, self.size[1] / height, 0.0])[:2], self.size)


@dataclass(frozen=True, slots=True)
class RandomView:
    """A random crop at a random scale, rotation and aspect.

    Args:
        size: width, height of the view.
        fit: width, height that a whole image is fitted into at scale 1, as at inference.
        scales: least and greatest scale on top of that; drawn log-uniformly.
        aspect: greatest horizontal stretch or squeeze, as a factor.
        max_angle: greatest rotation in degrees.
        quarter_turns: probability of a turn by 90 or 270 degrees.
        tilts: probability of a rotation of its own, up to ``MOST_TILT`` degrees.
        on_word: probability of a view around a word; otherwise anywhere in the image.
    """

    size: tuple[int, int]
    fit: tuple[int, int]
    scales: tuple[float, float] = (0.6, 2.0)
    aspect: float = 1.25
    max_angle: float = 10.0
    quarter_turns: float = 0.05
    tilts: float = 0.0
    on_word: float = 0.8

    def __call__(self, sample: Sample, rng: Generator) -> Sample:
        height, width = sample.image.shape[:2]
        scale = min(self.fit[0] / width, self.fit[1] / height) * math.exp(rng.uniform(*np.log(self.scales)))
        stretch = math.exp(rng.uniform(-1, 1) * math.log(self.aspect) / 2)
        angle = rng.normal(0, self.max_angle / 2)
        if rng.random() < self.tilts:
            angle = rng.uniform(-MOST_TILT, MOST_TILT)
        if rng.random() < self.quarter_turns:
            angle += rng.choice([90.0, 270.0])
        linear = rotation(angle) @ np.diag([scale * stretch, scale / stretch])
        centre = linear @ self._centre(sample, rng)
        jitter = rng.uniform(-0.35, 0.35, 2) * self.size
        offset = self._keep_inside(linear, (width, height), np.array(self.size) / 2 + jitter - centre)
        return warp(sample, np.column_stack([linear, offset]), self.size)

    def _centre(self, sample: Sample, rng: Generator) -> NDArray[np.float64]:
        readable = [word for word in sample.words if not word.ignore]
        if readable and rng.random() < self.on_word:
            chosen = readable[rng.integers(len(readable))]
            return np.asarray(chosen.polygon.mean(axis=0), dtype=np.float64)
        height, width = sample.image.shape[:2]
        return rng.uniform(0, 1, 2) * (width, height)

    def _keep_inside(self, linear: Matrix, image: tuple[int, int], offset: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shift the view so that it does not look past the image further than it must."""
        corners = np.array([(0, 0), (image[0], 0), image, (0, image[1])]) @ linear.T
        low, high = corners.min(axis=0), corners.max(axis=0)
        size = np.array(self.size)
        slack = np.sort(np.stack([size - high, -low]), axis=0)
        return np.clip(offset, slack[0], slack[1])


MOST_TILT = 60.0
"""Greatest lean of a tilted view, in degrees; quarter turns cover text that stands on end."""


def rotation(degrees: float) -> Matrix:
    """Rotation matrix (2, 2)."""
    angle = math.radians(degrees)
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


@dataclass(frozen=True, slots=True)
class Photometric:
    """Changes of light, color, sharpness and compression, each with probability ``p``."""

    p: float = 0.3

    def __call__(self, sample: Sample, rng: Generator) -> Sample:
        image = sample.image
        for change in (_light, _color, _blur, _noise, _compress):
            if rng.random() < self.p:
                image = change(image, rng)
        return replace(sample, image=image)


def _light(image: Image, rng: Generator) -> Image:
    contrast, brightness = rng.uniform(0.35, 1.4), rng.uniform(-70, 40)
    mean = float(image.mean())
    return cv2.convertScaleAbs(np.clip((image - mean) * contrast + mean + brightness, 0, 255))


def _color(image: Image, rng: Generator) -> Image:
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV).astype(np.int16)
    shift = np.array([rng.integers(-20, 21), 0, 0])
    hsv = hsv * np.array([1, rng.uniform(0.4, 1.5), 1]) + shift
    hsv[..., 0] %= 180
    return cv2.cvtColor(np.clip(hsv, 0, 255).astype(np.uint8), cv2.COLOR_HSV2BGR)


def _blur(image: Image, rng: Generator) -> Image:
    return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.5))


def _noise(image: Image, rng: Generator) -> Image:
    noise = rng.standard_normal(image.shape, dtype=np.float32) * rng.uniform(2, 12)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def _compress(image: Image, rng: Generator) -> Image:
    return through_jpeg(image, int(rng.integers(30, 90)))
