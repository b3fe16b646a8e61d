"""What carries the words: boards, plates, stickers and light boxes."""

import random

import cv2
import numpy as np

from text_spotting.synth.compose import Canvas
from text_spotting.synth.style import Colour, Style, blend, contrasting, luminance, random_style, sign_colour
from text_spotting.synth.texture import Textures, material, shade, slope
from text_spotting.words import FloatArray


def put_board(
    rng: random.Random, canvas: Canvas, corners: FloatArray, height: float, textures: Textures
) -> Colour | None:
    """Paint a board over a quad and return its colour, or None when it was left out of the picture.

    Args:
        height: letters' height in pixels, which borders and shadows are sized by.
    """
    x1, y1, x2, y2 = canvas.bounds(corners, margin=4)
    if x2 - x1 < 4 or y2 - y1 < 4:
        return None
    region = canvas.image[y1:y2, x1:x2]
    points = np.round((corners - np.float32([x1, y1])) * 16).astype(np.int32)
    mask = np.zeros(region.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, points, 255, cv2.LINE_AA, shift=4)
    if rng.random() < 0.25:
        reach = max(1, round(height * 0.1))
        matrix = np.array([[1, 0, reach], [0, 1, reach]], np.float32)
        thrown = cv2.blur(cv2.warpAffine(mask, matrix, mask.shape[::-1]), (3, 3))
        blend(region, (0, 0, 0), thrown.astype(np.uint8), rng.uniform(0.2, 0.6))
    colour = sign_colour(rng) if rng.random() < 0.75 else material(rng)
    if rng.random() < 0.15:
        face = textures.patch(rng, x2 - x1, y2 - y1)
        face = cv2.addWeighted(face, 0.35, np.full_like(face, np.uint8(colour)), 0.65, 0).astype(np.uint8)
    else:
        face = shade(colour, slope(rng, x2 - x1, y2 - y1), rng.uniform(0, 22))
    weight = mask[..., None].astype(np.float32) * (rng.uniform(0.6, 0.9) if rng.random() < 0.1 else 1.0) / 255
    region[:] = region + (face - region.astype(np.float32)) * weight
    if rng.random() < 0.35:
        border = contrasting(rng, colour, 40)
        cv2.polylines(region, [points], True, border, max(1, round(height * rng.uniform(0.04, 0.15))), cv2.LINE_AA, 4)
    return colour


def choose_style(rng: random.Random, canvas: Canvas, corners: FloatArray, height: float, board: Colour | None) -> Style:
    """Draw a style that stands out from what lies behind the quad."""
    x1, y1, x2, y2 = canvas.bounds(corners)
    if board is None and x2 > x1 and y2 > y1:
        blue, green, red, _ = cv2.mean(canvas.image[y1:y2, x1:x2])
        board = (blue, green, red)
    behind = board or (128.0, 128.0, 128.0)
    style = random_style(rng, behind, height)
    return style if luminance(behind) < 250 else Style(style.ink)
