"""Words arranged flat on a sign: one word, a line, or a block of lines."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from text_spotting.fonts import Face, Mask
from text_spotting.synth import pen
from text_spotting.synth.pixels import as_floats
from text_spotting.synth.render import Ink, bend, draw_word
from text_spotting.words import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A word on a block: ``x``, ``y`` is where its ink's top left corner lies on the flat block."""

    text: str
    ink: Ink
    x: int
    y: int

    def outline(self, pad: float) -> FloatArray:
        """Polygon around the ink on the flat block, ``pad`` pixels away from it."""
        points = as_floats(self.ink.outline + np.array([self.x, self.y]))
        half = len(points) // 2
        points[:half, 1] -= pad
        points[half:, 1] += pad
        points[[0, -1], 0] -= pad
        points[[half - 1, half], 0] += pad
        return points

    def chars(self) -> FloatArray:
        """Corners (N, 4, 2) of the characters' ink on the flat block."""
        return as_floats(self.ink.chars + np.array([self.x, self.y]))


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Words at fixed places on a flat board of ``width`` x ``height`` pixels, ``em`` pixels per em."""

    pieces: tuple[Piece, ...]
    width: int
    height: int
    em: int

    def mask(self) -> Mask:
        """Coverage (height, width) of all words together."""
        mask = np.zeros((self.height, self.width), np.uint8)
        for piece in self.pieces:
            height, width = piece.ink.mask.shape
            target = mask[piece.y : piece.y + height, piece.x : piece.x + width]
            np.maximum(target, piece.ink.mask, out=target)
        return mask


def single(face: Face, em: int, text: str, spacing: float = 0.0, bow: float = 0.0) -> Block | None:
    """One word alone, bowed by ``bow`` heights; None when the face draws nothing for it."""
    ink = draw_word(face, em, text, spacing)
    if ink is None:
        return None
    if bow:
        ink = bend(ink, bow)
    height, width = ink.mask.shape
    return Block((Piece(text, ink, 0, 0),), width, height, em)


def block(rng: random.Random, face: Face, em: int, lines: Sequence[Sequence[str]]) -> Block | None:
    """Set lines of words under each other, flush left, centred or flush right.

    Returns None when the face draws nothing for any of the words.
    """
    spacing = em * (rng.uniform(-0.03, 0.05) if rng.random() < 0.85 else rng.uniform(0.05, 0.3))
    gap = em * rng.uniform(0.22, 0.45) + max(0.0, spacing)
    rows = []
    for words in lines:
        inks = [(text, ink) for text in words if (ink := draw_word(face, em, text, spacing))]
        if inks:
            rows.append(inks)
    if not rows:
        return None
    leading = em * rng.uniform(1.0, 1.5)
    align = rng.choice((0.0, 0.5, 0.5, 1.0))
    widths = [sum(ink.mask.shape[1] for _, ink in row) + gap * (len(row) - 1) for row in rows]
    pieces = []
    for number, (row, width) in enumerate(zip(rows, widths, strict=True)):
        x, baseline = (max(widths) - width) * align, em + leading * number
        for text, ink in row:
            pieces.append(Piece(text, ink, round(x), round(baseline - ink.baseline)))
            x += ink.mask.shape[1] + gap
    return _cropped(pieces, em)


def by_hand(rng: random.Random, laid: Block) -> Block:
    """The same words at the same places, written by hand."""
    pieces = []
    for piece in laid.pieces:
        ink, dx, dy = pen.write(rng, piece.ink, laid.em)
        pieces.append(Piece(piece.text, ink, piece.x + dx, piece.y + dy))
    return _cropped(pieces, laid.em)


def _cropped(pieces: Sequence[Piece], em: int) -> Block:
    left, top = min(piece.x for piece in pieces), min(piece.y for piece in pieces)
    moved = tuple(Piece(piece.text, piece.ink, piece.x - left, piece.y - top) for piece in pieces)
    width = max(piece.x + piece.ink.mask.shape[1] for piece in moved)
    height = max(piece.y + piece.ink.mask.shape[0] for piece in moved)
    return Block(moved, width, height, em)
