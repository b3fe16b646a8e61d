"""Single words as a detector would cut them out: endless training data for the recogniser."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from text_spotting.alphabet import Alphabet
from text_spotting.fonts import Mask, by_family, pick
from text_spotting.synth import pen
from text_spotting.synth.camera import random_shot, take
from text_spotting.synth.judge import LEAST_CONTRAST, MOST_BLUR
from text_spotting.synth.materials import material, plain
from text_spotting.synth.pixels import as_bytes, as_floats, mean_color
from text_spotting.synth.render import Ink, bend, draw_word, random_height, random_pose, random_roll, size_for
from text_spotting.synth.style import Style, contrasting, paint, random_style
from text_spotting.synth.texts import faces_for, text_source
from text_spotting.synth.texture import Textures
from text_spotting.words import FloatArray, Image, Word


@dataclass(frozen=True)
class WordOptions:
    """What single-word crops look like.

    Attributes:
        height: range of the letters' height in pixels; small ones are drawn more often.
        margin: range of the free space around the word, in heights of the word; negative cuts into it.
        punctuation: share of words that carry a punctuation mark.
        compounds: share of words that are two written as one, so that long ones are no rarity.
        backgrounds: folder of photos to cut backgrounds from; made-up surfaces otherwise.
        fonts: folders of .ttf/.otf files to use in place of the installed fonts.
        alphabet: what words are written in, see ``Alphabet.of``; fonts must have all of it.
        word_list: file of words to write mostly, see ``texts.text_source``.
        handwritten: share of the words that are written by hand, in lines as wide as a pen's.
    """

    height: tuple[int, int] = (10, 64)
    margin: tuple[float, float] = (-0.03, 0.25)
    punctuation: float = 0.04
    compounds: float = 0.0
    backgrounds: str | Path | None = None
    fonts: Sequence[str | Path] = ()
    alphabet: Alphabet | Mapping[str, Any] | str | None = None
    word_list: str | Path | None = None
    handwritten: float = 0.0


class WordGenerator:
    """Draws one word per seed: the same seed gives the same crop wherever the same fonts and photos are present."""

    def __init__(self, options: WordOptions | None = None) -> None:
        self.options = options or WordOptions()
        alphabet = Alphabet.of(self.options.alphabet)
        self._families = by_family(faces_for(alphabet, tuple(self.options.fonts)))
        self._texts = text_source(alphabet, self.options.word_list)
        self._textures = Textures(self.options.backgrounds)

    def __call__(self, seed: int) -> tuple[Image, Word]:
        """Return a crop (H, W, 3), axis-aligned around the word, and the word in it."""
        rng = random.Random(seed)
        while True:
            text = self._texts.word(rng, self.options.punctuation)
            if self.options.compounds and rng.random() < self.options.compounds:
                text += self._texts.word(rng, 0.0)
            height = random_height(rng, *self.options.height)
            ink = self._draw(rng, text, height)
            taken = self._photograph(rng, ink, height) if ink else None
            if taken is not None:
                return taken[0], Word(taken[1], text)

    def _draw(self, rng: random.Random, text: str, height: float) -> Ink | None:
        face = pick(rng, self._families)
        size = size_for(height)
        spacing = size * (rng.uniform(-0.03, 0.06) if rng.random() < 0.85 else rng.uniform(0.06, 0.4))
        ink = draw_word(face, size, text, spacing)
        if ink and rng.random() < 0.08 and len(text) > 2:
            ink = bend(ink, rng.uniform(-0.5, 0.7) * min(1.0, len(text) / 8))
        if ink and self.options.handwritten and rng.random() < self.options.handwritten:
            ink, _, _ = pen.write(rng, ink, size)
        return ink

    def _photograph(self, rng: random.Random, ink: Ink, height: float) -> tuple[Image, FloatArray] | None:
        """Take the image; return it with the word's corners, None when nobody could read the word on it."""
        corners = _lean(rng, ink, height)
        corners, width_px, height_px = _frame(rng, corners, height, self.options.margin)
        image = _behind(rng, self._textures, width_px, height_px)
        matrix = cv2.getPerspectiveTransform(_rectangle(ink.mask), corners)
        mask = as_bytes(cv2.warpPerspective(ink.mask, matrix, (width_px, height_px), flags=cv2.INTER_AREA))
        style = random_style(rng, mean_color(image), height)
        if rng.random() < 0.25:
            self._neighbours(rng, image, corners, style, height)
        worn = self._textures.patch(rng, width_px, height_px)[..., 0] if style.wear else None
        paint(image, mask, style, worn)
        _clutter(rng, image)
        shot = random_shot(rng, min(1.6, height / 22))
        crop = take(rng, image, shot)
        return (crop, corners) if _readable(crop, mask) and shot.softness < MOST_BLUR * 1.3 * height else None

    def _neighbours(self, rng: random.Random, image: Image, corners: FloatArray, style: Style, height: float) -> None:
        """Words beside, above or below, of which the crop shows a strip."""
        across, down = corners[1] - corners[0], corners[3] - corners[0]
        steps = (across * (1.08 + 0.2 * rng.random()), -across * (1.08 + 0.2 * rng.random()), down * 1.3, -down * 1.3)
        for step in rng.sample(steps, rng.randint(1, 2)):
            text = self._texts.word(rng, self.options.punctuation)
            ink = draw_word(pick(rng, self._families), size_for(height), text)
            if ink is None:
                continue
            matrix = cv2.getPerspectiveTransform(_rectangle(ink.mask), corners + step)
            mask = cv2.warpPerspective(ink.mask, matrix, image.shape[1::-1], flags=cv2.INTER_AREA)
            paint(image, as_bytes(mask), Style(style.ink))


def _rectangle(mask: Mask) -> FloatArray:
    height, width = mask.shape
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def _lean(rng: random.Random, ink: Ink, height: float) -> FloatArray:
    """Corners around the origin of the word as seen: turned, in perspective, slanted, stretched."""
    scale = height / ink.mask.shape[0]
    width = ink.mask.shape[1] * scale * math.exp(rng.gauss(0, 0.12))
    return random_pose(rng, random_roll(rng)).corners(max(3.0, width), height)


def _frame(
    rng: random.Random, corners: FloatArray, height: float, margin: tuple[float, float]
) -> tuple[FloatArray, int, int]:
    """Move the word into a crop around it; returns corners and the crop's width and height."""
    left, top, right, bottom = (rng.uniform(*margin) * height for _ in range(4))
    low, high = corners.min(axis=0), corners.max(axis=0)
    width = max(8, math.ceil(high[0] - low[0] + left + right))
    tall = max(8, math.ceil(high[1] - low[1] + top + bottom))
    return corners - low + np.array([left, top], np.float32), width, tall


def _behind(rng: random.Random, textures: Textures, width: int, height: int) -> Image:
    if rng.random() < 0.5:
        return plain(rng, material(rng), width, height, 30)
    patch = textures.patch(rng, width, height)
    calm = rng.random()  # text is mostly put where a surface is quiet
    flat = np.full_like(patch, mean_color(patch))
    return as_bytes(cv2.addWeighted(patch, calm, flat, 1 - calm, 0))


def _readable(crop: Image, mask: Mask) -> bool:
    ink = as_bytes(cv2.threshold(mask, 127, 255, cv2.THRESH_BINARY)[1])
    difference = as_floats(cv2.mean(crop, ink)) - as_floats(cv2.mean(crop, cv2.bitwise_not(ink)))
    return float(np.abs(difference).max()) > LEAST_CONTRAST


def _clutter(rng: random.Random, image: Image) -> None:
    """Lines that run beside or over the word: borders of boards, cables, scratches."""
    if rng.random() > 0.12:
        return
    height, width = image.shape[:2]
    color = contrasting(rng, mean_color(image), 30)
    at = rng.choice((rng.uniform(0, 0.1), rng.uniform(0.9, 1.0), rng.random())) * height
    rise = rng.gauss(0, 0.05) * width
    thick = max(1, round(height * rng.uniform(0.02, 0.06)))
    cv2.line(image, (0, round(at - rise)), (width, round(at + rise)), color, thick, cv2.LINE_AA)
