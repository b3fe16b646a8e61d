"""Endless labelled pictures on the fly, by number."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from text_spotting.synth import clutter, corpus
from text_spotting.synth.camera import random_shot, take
from text_spotting.synth.compose import Canvas, Placed
from text_spotting.synth.crops import WordGenerator, WordOptions
from text_spotting.synth.fonts import Face, by_family, find_faces, pick
from text_spotting.synth.judge import judge
from text_spotting.synth.layout import Block, block, single
from text_spotting.synth.render import size_for, tilt
from text_spotting.synth.signs import choose_style, put_board
from text_spotting.synth.texture import Textures, load_photo
from text_spotting.words import FloatArray, Image, Word

__all__ = ["DENSE", "Scene", "SceneGenerator", "SceneOptions", "WordGenerator", "WordOptions"]


_SHRINK = (1.0, 0.75, 0.55)
"""Sizes to try a sign at before it is given up for want of room."""
_PATIENCE = 12
"""Signs given up before the picture counts as full."""
_FACES = 7
"""Font faces on one picture: places have their house styles."""


@dataclass(frozen=True)
class SceneOptions:
    """What synthetic pictures look like.

    Attributes:
        size: width and height of the pictures.
        words: least and most words to write on one; fewer when there is no room. Clutter comes on top.
        height: range of the letters' height in pixels; small ones are drawn more often.
        backgrounds: folder of photos to write on; made-up places otherwise.
        hosts: labelled pictures to write on beside the words that they already show: (path, words).
        word_crops: folder of real word crops with their texts, to be blended in.
        fonts: folders of .ttf/.otf files to use in place of the installed fonts.
        clutter: how much that is not to be read is added: 0 for none, 1 for the usual amount.
    """

    size: tuple[int, int] = (640, 384)
    words: tuple[int, int] = (4, 20)
    height: tuple[int, int] = (9, 72)
    backgrounds: Path | None = None
    hosts: Sequence[tuple[Path, Sequence[Word]]] = ()
    word_crops: Path | None = None
    fonts: tuple[Path, ...] = ()
    clutter: float = 1.0


DENSE = SceneOptions(words=(40, 60), height=(12, 34), clutter=0.1)
"""Pictures packed with words, for warming up a recogniser; ``dataclasses.replace`` sets the folders."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A finished picture with all that is known about its words.

    Attributes:
        image: (H, W, 3) BGR.
        placed: every word with its characters' places; ``ids`` counts them from 1.
        ids: (H, W) number of the word whose ink shows at a pixel, 0 where none does.
    """

    image: Image
    placed: list[Placed]
    ids: NDArray[np.int16]

    @property
    def words(self) -> list[Word]:
        """The words alone."""
        return [placed.word for placed in self.placed]

    def mask(self, number: int) -> NDArray[np.bool_]:
        """Visible ink (H, W) of ``placed[number]``."""
        return self.ids == number + 1


class SceneGenerator:
    """Draws one labelled picture per seed: the same wherever the same fonts and photos are present."""

    def __init__(self, options: SceneOptions | None = None) -> None:
        self.options = options or SceneOptions()
        self._families = by_family(find_faces(self.options.fonts))
        self._textures = Textures(self.options.backgrounds)

    def __call__(self, seed: int) -> Scene:
        """Return the scene of a number."""
        rng = random.Random(seed)
        canvas = self._background(rng)
        wanted = rng.randint(*self.options.words)
        clutter.behind(rng, canvas, self.options.clutter, self._textures)
        written = 0
        faces = [pick(rng, self._families) for _ in range(_FACES)]
        failures = 0
        while written < wanted and failures < _PATIENCE:
            most = wanted - written if failures < _PATIENCE // 3 else 1  # gaps that are left take single words
            added = self._sign(rng, canvas, rng.choice(faces), most)
            written += added
            failures += not added
        clutter.foreign(rng, canvas, self.options.clutter, self._families)
        clutter.in_front(rng, canvas, self.options.clutter, self._textures)
        shot = random_shot(rng, scale=self.options.size[0] / 800)
        image = take(rng, canvas.image, shot)
        return Scene(image, judge(image, canvas, shot.softness), canvas.ids)

    def _background(self, rng: random.Random) -> Canvas:
        width, height = self.options.size
        if self.options.hosts and rng.random() < 0.6:
            return _host(self.options.size, *rng.choice(self.options.hosts))
        return Canvas(self._textures.scene(rng, width, height))

    def _sign(self, rng: random.Random, canvas: Canvas, face: Face, most: int) -> int:
        """Put up one sign; returns how many words it brought."""
        height = self._height(rng)
        laid = _block(rng, face, size_for(height), most)
        if laid is None:
            return 0
        leaned = _lean(rng, laid, height)
        on_board = rng.random() < 0.45
        margin = rng.uniform(0.25, 0.9) if on_board else 0.15
        overhang = 0.15 if rng.random() < 0.08 else 0.0
        for shrink in _SHRINK:
            corners = (leaned * shrink).astype(np.float32)
            frame = grown(corners, height * shrink * margin)
            place = canvas.find_place(rng, frame, overhang)
            if place is not None:
                self._put(rng, canvas, laid, corners + (place - frame), place, height * shrink, on_board)
                return len(laid.pieces)
            if height * shrink < self.options.height[0] * 1.3:
                break
        return 0

    def _put(self, rng, canvas, laid, corners, place, height, on_board) -> None:
        board = put_board(rng, canvas, place, height, self._textures) if on_board else None
        canvas.write(laid, corners, choose_style(rng, canvas, corners, height, board))
        canvas.reserve(place)

    def _height(self, rng: random.Random) -> float:
        low, high = self.options.height
        return math.exp(rng.triangular(math.log(low), math.log(high), math.log(low * 1.9)))


def _block(rng: random.Random, face: Face, em: int, most: int) -> Block | None:
    if most == 1 or rng.random() < 0.35:
        text = corpus.word(rng)
        bow = rng.uniform(-0.4, 0.6) if rng.random() < 0.1 and len(text) > 3 else 0.0
        return single(face, em, text, em * max(-0.03, rng.gauss(0.02, 0.06)), bow)
    lines = []
    for _ in range(rng.choices((1, 2, 3, 4), (40, 30, 20, 10))[0]):
        count = min(most, rng.choices((1, 2, 3, 4), (25, 40, 25, 10))[0])
        if count:
            lines.append(corpus.line(rng, count))
        most -= count
    return block(rng, face, em, lines)


def _host(size: tuple[int, int], path: Path, words: Sequence[Word]) -> Canvas:
    """The whole labelled picture, resized to the size asked for, with its words."""
    photo = load_photo(str(path))
    original_height, original_width = cv2.imread(str(path)).shape[:2] if words else photo.shape[:2]
    canvas = Canvas(cv2.resize(photo, size, interpolation=cv2.INTER_AREA).astype(np.uint8))
    scale = np.float32([size[0] / original_width, size[1] / original_height])
    for word in words:
        canvas.add_existing(Word(word.polygon * scale, word.text, ignore=word.ignore))
    return canvas


def _lean(rng: random.Random, laid: Block, height: float) -> FloatArray:
    scale = height / (0.72 * laid.em)  # capitals are about 0.72 em tall
    width = laid.width * scale * math.exp(rng.gauss(0, 0.1))
    kind = rng.random()
    angle = rng.gauss(0, 3) if kind < 0.8 else rng.gauss(0, 15) if kind < 0.97 else rng.choice((-90, 90))
    depth = rng.uniform(0, 0.12) if rng.random() < 0.65 else rng.uniform(0.12, 0.45)
    return tilt(rng, width, laid.height * scale, angle, depth, rng.gauss(0, 0.06))


def grown(corners: FloatArray, by: float) -> FloatArray:
    """Push each corner of a quad outwards along its two sides."""
    before, after = np.roll(corners, 1, axis=0), np.roll(corners, -1, axis=0)
    outward = _unit(corners - before) + _unit(corners - after)
    return (corners + outward * by).astype(np.float32)


def _unit(vectors: FloatArray) -> FloatArray:
    return (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)).astype(np.float32)
