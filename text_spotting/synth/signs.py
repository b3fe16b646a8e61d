"""Signs: what they say, what carries the words, how they hang, and where they find room."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from text_spotting.fonts import Face
from text_spotting.synth.compose import Canvas
from text_spotting.synth.hanging import SpotOptions, find_spot
from text_spotting.synth.layout import Block, block, by_hand, single
from text_spotting.synth.materials import material, plain
from text_spotting.synth.pixels import as_bytes, mean_color
from text_spotting.synth.render import random_height, size_for
from text_spotting.synth.style import Color, Style, blend, contrasting, random_style, sign_color
from text_spotting.synth.texts import TextSource
from text_spotting.synth.texture import Textures
from text_spotting.words import FloatArray

_UNQUIET = 26.0
"""Standard deviation of the brightness behind letters from which they mostly get a board."""


@dataclass(frozen=True)
class SignMaker:
    """Puts signs up on one image.

    Attributes:
        faces: what this place's signs are set in.
        texts: what they say.
        height: range of the letters' height in pixels.
        roll: how far the camera is turned, in degrees.
        on_walls: share of the signs that lie on a wall where there is one; the others hang freely.
        tilt: how far those are turned and leaned; 1 is usual, 0 level.
        handwritten: share of the signs that are written by hand.
    """

    faces: Sequence[Face]
    texts: TextSource
    textures: Textures
    height: tuple[float, float]
    roll: float
    on_walls: float
    tilt: float
    handwritten: float = 0.0

    def put_up(self, rng: random.Random, canvas: Canvas, most: int) -> int:
        """Put up one sign of up to ``most`` words; returns how many it brought, 0 when there was no room."""
        height = random_height(rng, *self.height)
        laid = sign_block(rng, self.texts, rng.choice(self.faces), size_for(height), most)
        if laid is None:
            return 0
        if self.handwritten and rng.random() < self.handwritten:
            laid = by_hand(rng, laid)
        on_board = rng.random() < 0.45
        margin = rng.uniform(0.25, 0.9) if on_board else 0.15
        spot = find_spot(
            rng, canvas, laid, SpotOptions(height, self.height[0], margin, self.roll, self.on_walls, self.tilt)
        )
        if spot is None:
            return 0
        on_board = on_board or (canvas.spread(spot.corners) > _UNQUIET and rng.random() < 0.8)
        if on_board:
            behind = put_board(rng, canvas, spot.frame, spot.height, self.textures)
        else:
            behind = color_behind(canvas, spot.corners)
        canvas.write(laid, spot.corners, random_style(rng, behind, spot.height))
        canvas.reserve(spot.frame)
        if on_board and rng.random() < 0.8:  # the others shine by themselves
            canvas.dim(spot.frame)
        return len(laid.pieces)


def sign_block(rng: random.Random, texts: TextSource, face: Face, em: int, most: int) -> Block | None:
    """Lay out what a sign says: one word, a line, or up to four lines; at most ``most`` words."""
    if most == 1 or rng.random() < 0.35:
        text = texts.word(rng)
        bow = rng.uniform(-0.4, 0.6) if rng.random() < 0.1 and len(text) > 3 else 0.0
        return single(face, em, text, em * max(-0.03, rng.gauss(0.02, 0.06)), bow)
    lines = []
    for _ in range(rng.choices((1, 2, 3, 4), (40, 30, 20, 10))[0]):
        count = min(most, rng.choices((1, 2, 3, 4), (25, 40, 25, 10))[0])
        if count:
            lines.append(texts.line(rng, count))
        most -= count
    return block(rng, face, em, lines)


def put_board(rng: random.Random, canvas: Canvas, corners: FloatArray, height: float, textures: Textures) -> Color:
    """Paint a board over a quad and return its color.

    Args:
        height: letters' height in pixels, which borders and shadows are sized by.
    """
    color = sign_color(rng) if rng.random() < 0.75 else material(rng)
    x1, y1, x2, y2 = canvas.bounds(corners, margin=4)
    if x2 - x1 < 4 or y2 - y1 < 4:
        return color
    region = canvas.image[y1:y2, x1:x2]
    points = np.round((corners - np.array([x1, y1])) * 16).astype(np.int32)
    mask = np.zeros(region.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, points, 255, cv2.LINE_AA, shift=4)
    if rng.random() < 0.25:
        reach = max(1, round(height * 0.1))
        matrix = np.array([[1, 0, reach], [0, 1, reach]], np.float32)
        thrown = cv2.blur(cv2.warpAffine(mask, matrix, (x2 - x1, y2 - y1)), (3, 3))
        blend(region, (0, 0, 0), as_bytes(thrown), rng.uniform(0.2, 0.6))
    if rng.random() < 0.15:
        face = textures.patch(rng, x2 - x1, y2 - y1)
        face = as_bytes(cv2.addWeighted(face, 0.35, np.full_like(face, color), 0.65, 0))
    else:
        face = plain(rng, color, x2 - x1, y2 - y1, 22)
    weight = mask[..., None].astype(np.float32) * (rng.uniform(0.6, 0.9) if rng.random() < 0.1 else 1.0) / 255
    region[:] = region + (face - region.astype(np.float32)) * weight
    if rng.random() < 0.35:
        border, thick = contrasting(rng, color, 40), max(1, round(height * rng.uniform(0.04, 0.15)))
        cv2.polylines(region, [points], True, border, thick, cv2.LINE_AA, 4)
    return color


def color_behind(canvas: Canvas, corners: FloatArray) -> Color:
    """Mean color of the image in a quad's bounds; grey when they lie outside."""
    x1, y1, x2, y2 = canvas.bounds(corners)
    return mean_color(canvas.image[y1:y2, x1:x2])


def plain_style(rng: random.Random, canvas: Canvas, corners: FloatArray, height: float) -> Style:
    """A style for words written straight onto the image."""
    return random_style(rng, color_behind(canvas, corners), height)
