"""Words painted over an image: ``(scene, words) -> scene``, the scene given is left as it was."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import cv2
import numpy as np

from text_spotting.fonts import face_for, glyph
from text_spotting.words import Image, Word

Color = tuple[int, int, int]
"""Blue, green, red, 0..255."""

GREEN: Color = (0, 200, 0)
BLACK: Color = (0, 0, 0)
WHITE: Color = (255, 255, 255)

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_Rect = tuple[float, float, float, float]


class Outcome(StrEnum):
    """What an evaluation says of a word."""

    RIGHT = "right"
    MISREAD = "misread"
    MISSED = "missed"
    FALSE = "false"
    IGNORED = "ignored"


OUTCOME_COLORS: dict[Outcome, Color] = {
    Outcome.RIGHT: (80, 175, 40),
    Outcome.MISREAD: (0, 150, 245),
    Outcome.MISSED: (60, 40, 230),
    Outcome.FALSE: (200, 60, 190),
    Outcome.IGNORED: (150, 150, 150),
}
"""One color an outcome, told apart by hue and by lightness."""


def draw_words(scene: Image, words: Sequence[Word], color: Color = GREEN) -> Image:
    """Return the scene with every word's outline and text in one color."""
    return draw_labels(scene, [(word, word.text, color) for word in words])


def draw_outcomes(scene: Image, outcomes: Iterable[tuple[Word, Outcome]]) -> Image:
    """Return the scene with every word in the color of its outcome; don't-care regions carry no label."""
    return draw_labels(
        scene,
        [
            (word, "" if outcome is Outcome.IGNORED else word.text, OUTCOME_COLORS[outcome])
            for word, outcome in outcomes
        ],
    )


def draw_labels(scene: Image, items: Sequence[tuple[Word, str, Color]]) -> Image:
    """Return the scene with outlines first and then the labels, so that no outline crosses a label.

    A label stands above its word, or below or inside it where that hides less of the other labels and words.
    Characters that no font of the machine has are shown as question marks.
    """
    canvas = np.ascontiguousarray(scene).copy()
    thickness = max(1, round(min(canvas.shape[:2]) / 360))
    for word, _, color in items:
        outline = np.round(word.polygon).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(canvas, [outline], True, color, thickness, cv2.LINE_AA)
    boxes = [word.box for word, _, _ in items]
    labels: list[_Rect] = []
    for index, (word, text, color) in enumerate(items):
        if text:
            others = boxes[:index] + boxes[index + 1 :]
            labels.append(_draw_label(canvas, word, text, color, [*labels, *labels, *others]))
    return canvas


def _draw_label(canvas: Image, word: Word, text: str, color: Color, avoid: Sequence[_Rect]) -> _Rect:
    """Paint one label and return the rectangle x1, y1, x2, y2 that it takes."""
    if not text.isascii():
        return _draw_glyphs(canvas, word, text, color, avoid)
    scale = max(0.4, min(canvas.shape[:2]) / 1500)
    stroke = max(1, round(scale * 1.6))
    (width, height), baseline = cv2.getTextSize(text, _FONT, scale, stroke)
    pad = max(2, height // 4)
    x, y = _place(word, (width + 2 * pad, height + baseline + pad), canvas, avoid)
    right, bottom = x + width + 2 * pad, y + height + baseline + pad
    cv2.rectangle(canvas, (x, y), (right, bottom), color, cv2.FILLED)
    cv2.putText(canvas, text, (x + pad, y + height + pad), _FONT, scale, _ink(color), stroke, cv2.LINE_AA)
    return x, y, right, bottom


def _draw_glyphs(canvas: Image, word: Word, text: str, color: Color, avoid: Sequence[_Rect]) -> _Rect:
    """The same in a font of the machine: OpenCV's own letters are ASCII alone."""
    face, text = face_for(text)
    size = max(12, min(canvas.shape[:2]) // 50)
    line = glyph(face, size, text)
    pad = max(2, size // 6)
    width, height = line.mask.shape[1] + 2 * pad, size + 2 * pad
    x, y = _place(word, (width, height), canvas, avoid)
    cv2.rectangle(canvas, (x, y), (x + width, y + height), color, cv2.FILLED)
    top = y + pad + round(0.8 * size) + line.top  # the baseline lies at about four fifths of the size
    region = canvas[max(top, 0) : top + len(line.mask), x + pad : x + width - pad]
    cover = line.mask[max(-top, 0) :][: len(region), : region.shape[1], None].astype(np.float32) / 255
    region[:] = (region + (np.array(_ink(color), np.float32) - region) * cover).round()
    return x, y, x + width, y + height


def _place(word: Word, size: tuple[int, int], canvas: Image, avoid: Sequence[_Rect]) -> tuple[int, int]:
    """Top left corner of a label, where it hides least; above the word where it makes no difference."""
    left, top, _, bottom = (round(value) for value in word.box)
    spots = [_keep_inside(left, y, size, canvas) for y in (top - size[1] - 1, bottom + 1, top)]
    return min(spots, key=lambda spot: _hidden(spot, size, avoid))


def _hidden(spot: tuple[int, int], size: tuple[int, int], avoid: Sequence[_Rect]) -> float:
    """Area in square pixels of the rectangles that a label at the spot would cover."""
    (x, y), (width, height) = spot, size
    return sum(
        max(0, min(x + width, x2) - max(x, x1)) * max(0, min(y + height, y2) - max(y, y1)) for x1, y1, x2, y2 in avoid
    )


def _keep_inside(x: int, y: int, size: tuple[int, int], canvas: Image) -> tuple[int, int]:
    height, width = canvas.shape[:2]
    return max(0, min(x, width - size[0] - 1)), max(0, min(y, height - size[1] - 1))


def _ink(background: Color) -> Color:
    """Black on light colors and white on dark ones (luma of ITU-R BT.601)."""
    blue, green, red = background
    return BLACK if 0.114 * blue + 0.587 * green + 0.299 * red > 120 else WHITE
