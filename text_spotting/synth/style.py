"""How ink looks: colors against what lies behind, outlines, shadows, emboss, uneven paint."""

import random
from dataclasses import dataclass, replace

import cv2
import numpy as np

from text_spotting.fonts import Mask
from text_spotting.synth.pixels import as_bytes, as_floats
from text_spotting.words import FloatArray, Image

Color = tuple[float, float, float]
"""Blue, green, red, 0..255."""

WHITE: Color = (245, 245, 245)
BLACK: Color = (22, 22, 24)

_SIGN_COLORS: tuple[Color, ...] = (
    WHITE, WHITE, BLACK, BLACK, (30, 30, 200), (20, 20, 150), (160, 70, 20), (110, 40, 10), (60, 130, 30),
    (40, 200, 240), (60, 220, 250), (20, 110, 235), (80, 80, 80), (150, 150, 150), (120, 20, 110), (170, 160, 30),
    (200, 225, 240),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Style:
    """How a piece of text is painted; lengths in pixels of the image.

    Attributes:
        second: color at the foot of the letters where they fade from one color into another.
        outline: (width, color) of a rim around the letters.
        shadow: (dx, dy, blur, darkness 0..1) of a shadow that the letters throw.
        relief: strength 0..1 of light and dark edges, as on cast or engraved letters.
        wear: share 0..1 of the paint that has come off.
        glow: radius of the light around letters that shine; 0 for none.
        depth: (dx, dy) that solid letters stand out by, showing their sides.
    """

    ink: Color
    second: Color | None = None
    outline: tuple[int, Color] | None = None
    shadow: tuple[int, int, float, float] | None = None
    relief: float = 0.0
    wear: float = 0.0
    glow: float = 0.0
    depth: tuple[int, int] | None = None
    opacity: float = 1.0


def luminance(color: Color | FloatArray) -> float:
    """Perceived brightness 0..255 of a BGR color."""
    return float(0.114 * color[0] + 0.587 * color[1] + 0.299 * color[2])


def sign_color(rng: random.Random) -> Color:
    """A color that signs are painted in, a little off."""
    if rng.random() < 0.15:
        return rng.uniform(10, 245), rng.uniform(10, 245), rng.uniform(10, 245)
    base = rng.choice(_SIGN_COLORS)
    return tuple(min(255.0, max(0.0, channel + rng.gauss(0, 12))) for channel in base)  # type: ignore[return-value]


def contrasting(rng: random.Random, behind: Color, least: float) -> Color:
    """A sign color at least ``least`` brighter or darker than what lies behind it."""
    for _ in range(6):
        color = sign_color(rng)
        if abs(luminance(color) - luminance(behind)) >= least:
            return color
    level = luminance(behind)
    up = level < 128 if rng.random() < 0.9 else level + least < 250
    target = level + (least if up else -least) * rng.uniform(1.0, 1.5)
    return tuple(min(255.0, max(0.0, target + rng.gauss(0, 5))) for _ in range(3))  # type: ignore[return-value]


def random_style(rng: random.Random, behind: Color, height: float) -> Style:
    """Draw a style for letters ``height`` pixels tall; fine effects are left to letters large enough to show them."""
    faint = rng.random() < 0.12
    ink = contrasting(rng, behind, rng.uniform(22, 50) if faint else rng.uniform(50, 140))
    style = Style(ink, opacity=rng.uniform(0.65, 0.95) if rng.random() < 0.2 and not faint else 1.0)
    if rng.random() < 0.16:
        reach = max(1, round(height * rng.uniform(0.03, 0.12)))
        style = replace(
            style, shadow=(rng.choice((-reach, reach, reach)), reach, rng.uniform(0, 2), rng.uniform(0.3, 0.9))
        )
    if luminance(ink) > luminance(behind) + 60 and rng.random() < 0.22:
        style = replace(style, glow=height * rng.uniform(0.08, 0.4))
    if rng.random() < 0.07:
        style = replace(style, second=contrasting(rng, behind, 40))
    if rng.random() < 0.06:
        style = replace(style, wear=rng.uniform(0.1, 0.5))
    return _fine_effect(rng, style, height) if height > 14 else style


def _fine_effect(rng: random.Random, style: Style, height: float) -> Style:
    kind = rng.random()
    if kind < 0.1:
        rim = max(1, round(height * rng.uniform(0.03, 0.09)))
        return replace(style, outline=(rim, contrasting(rng, style.ink, 60)))
    if kind < 0.2:
        reach = max(1, round(height * rng.uniform(0.04, 0.1)))
        return replace(style, depth=(rng.choice((-reach, reach)), rng.choice((-reach, reach))))
    return replace(style, relief=rng.uniform(0.3, 0.9)) if kind < 0.27 else style


def paint(region: Image, mask: Mask, style: Style, texture: Mask | None = None) -> None:
    """Paint letters onto a part of an image, in place.

    Args:
        mask: coverage of the letters, the region's size.
        texture: grain (same size) that decides where worn paint is missing; without it nothing is.
    """
    _paint_around(region, mask, style)
    cover = mask
    if style.wear and texture is not None:
        kept = cv2.threshold(texture, 255 * style.wear, 255, cv2.THRESH_BINARY)[1]
        cover = np.minimum(mask, np.maximum(as_bytes(kept), mask // 4))
    if style.second:
        fade = np.linspace(0, 1, len(region), dtype=np.float32)[:, None, None]
        colors = as_floats(style.ink) * (1 - fade) + as_floats(style.second) * fade
        _mix(region, colors, cover, style.opacity)
    else:
        blend(region, style.ink, cover, style.opacity)
    if style.relief:
        _emboss(region, mask, style.relief)


def _paint_around(region: Image, mask: Mask, style: Style) -> None:
    """Paint what lies beneath the letters: shadow, glow, sides, rim."""
    if style.shadow:
        dx, dy, blur, darkness = style.shadow
        thrown = shifted(mask, dx, dy)
        soft = as_bytes(cv2.GaussianBlur(thrown, (0, 0), blur)) if blur > 0.4 else thrown
        blend(region, (0, 0, 0), soft, darkness)
    if style.glow > 0.5:
        halo = as_bytes(cv2.GaussianBlur(mask, (0, 0), style.glow))
        blend(region, style.ink, as_bytes(cv2.add(halo, halo)), 0.6)
    if style.depth:
        sides = mask
        for step in range(1, max(map(abs, style.depth)) + 1):
            dx, dy = (step if way > 0 else -step for way in style.depth)
            sides = np.maximum(sides, shifted(mask, dx, dy))
        blue, green, red = style.ink
        blend(region, (blue * 0.45, green * 0.45, red * 0.45), sides)
    if style.outline:
        width, color = style.outline
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
        blend(region, color, as_bytes(cv2.dilate(mask, disc)))


def blend(region: Image, color: Color, mask: Mask, opacity: float = 1.0) -> None:
    """Lay one color over a region where the mask covers it, in place."""
    _mix(region, as_floats(color), mask, opacity)


def _mix(region: Image, colors: FloatArray, mask: Mask, opacity: float) -> None:
    weight = mask.astype(np.float32)[..., None] * (opacity / 255)
    base = region.astype(np.float32)
    base += (colors - base) * weight
    region[:] = base + 0.5


def _emboss(region: Image, mask: Mask, strength: float) -> None:
    soft = as_bytes(cv2.blur(mask, (3, 3)))
    slope = (as_floats(shifted(soft, 1, 1)) - shifted(soft, -1, -1)) * strength
    region[:] = np.clip(region - slope[..., None], 0, 255)


def shifted(mask: Mask, dx: int, dy: int) -> Mask:
    """Move a mask's content by whole pixels; what leaves is lost, what enters is empty."""
    moved = np.zeros_like(mask)
    height, width = mask.shape
    if abs(dx) < width and abs(dy) < height:
        moved[max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)] = mask[
            max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)
        ]
    return moved
