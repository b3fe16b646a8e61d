"""Endless labelled images on the fly, by number."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from text_spotting.alphabet import Alphabet
from text_spotting.annotations.dataset_file import read_dataset
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.fonts import Face, by_family, pick
from text_spotting.synth import clutter
from text_spotting.synth.camera import random_shot, take
from text_spotting.synth.compose import Canvas, Placed
from text_spotting.synth.crops import WordGenerator, WordOptions
from text_spotting.synth.judge import judge
from text_spotting.synth.pasted import draw_crop, find_crops, paste
from text_spotting.synth.pixels import as_bytes
from text_spotting.synth.render import random_height, random_pose, random_roll
from text_spotting.synth.signs import SignMaker
from text_spotting.synth.texts import LongTexts, faces_for, text_source, written_characters
from text_spotting.synth.texture import Textures, read_photo
from text_spotting.words import Image, Word

__all__ = ["DENSE", "Scene", "SceneGenerator", "SceneOptions", "WordGenerator", "WordOptions"]

_PATIENCE = 12
"""Signs given up before the image counts as full."""
_HOST_SHARE = 0.6
_CROP_SHARE = 0.35
_FACES = 5
"""Font faces on one image: places have their house styles."""


@dataclass(frozen=True)
class SceneOptions:
    """What synthetic images look like.

    Attributes:
        size: width and height of the images.
        words: least and most words to write on one; fewer when there is no room. Clutter comes on top.
        height: range of the letters' height in pixels; small ones are drawn more often.
        backgrounds: folder of photos to write on; made-up places otherwise.
        hosts: COCO-with-text file of real images to write on, beside the words that they already show.
        hosts_root: folder that the file's image names start from; by default the file's own.
        word_crops: list of real word crops, or a folder with gt.txt, to be blended in with their texts.
        fonts: folders of .ttf/.otf files to use in place of the installed fonts.
        alphabet: what texts are written in, see ``Alphabet.of``; fonts must have all of it.
        word_list: file of words to write mostly, see ``texts.text_source``.
        on_walls: share of the signs that keep to the walls of a made-up place; the others fill the space.
        tilt: how far the camera and the signs are turned and leaned: 0 for level, 1 for the usual amount.
        harshness: how much the camera spoils: 0 for a clear image, 1 for the usual amount.
        clutter: how much that is not to be read is added: 0 for none, 1 for the usual amount.
        long_words: share of the words on signs that have twelve letters or more, over the usual few.
        handwritten: share of the signs that are written by hand, in lines as wide as a pen's.
    """

    size: tuple[int, int] = (640, 384)
    words: tuple[int, int] = (4, 20)
    height: tuple[int, int] = (9, 72)
    backgrounds: str | Path | None = None
    hosts: str | Path | None = None
    hosts_root: str | Path | None = None
    word_crops: str | Path | None = None
    fonts: Sequence[str | Path] = ()
    alphabet: Alphabet | Mapping[str, Any] | str | None = None
    word_list: str | Path | None = None
    on_walls: float = 0.9
    tilt: float = 1.0
    harshness: float = 1.0
    clutter: float = 1.0
    long_words: float = 0.0
    handwritten: float = 0.0


DENSE = SceneOptions(words=(40, 60), height=(12, 34), on_walls=0.0, clutter=0.1)
"""Images packed with words, for warming up a recogniser; ``dataclasses.replace`` sets the folders."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A finished image with all that is known about its words.

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
        return np.equal(self.ids, number + 1)


class SceneGenerator:
    """Draws one labelled image per seed: the same wherever the same fonts and photos are present."""

    def __init__(self, options: SceneOptions | None = None) -> None:
        self.options = options or SceneOptions()
        alphabet = Alphabet.of(self.options.alphabet)
        self._read = written_characters(alphabet)
        self._families = by_family(faces_for(alphabet, tuple(self.options.fonts)))
        texts = text_source(alphabet, self.options.word_list)
        self._texts = LongTexts(texts, self.options.long_words) if self.options.long_words else texts
        self._textures = Textures(self.options.backgrounds)
        self._hosts = read_dataset(self.options.hosts, self.options.hosts_root) if self.options.hosts else []
        self._crops = find_crops(self.options.word_crops) if self.options.word_crops else []

    def __call__(self, seed: int) -> Scene:
        """Return the scene of a number."""
        rng = random.Random(seed)
        roll = random_roll(rng) * self.options.tilt
        canvas = self._background(rng, roll)
        clutter.behind(rng, canvas, self.options.clutter, self._textures)
        faces = [pick(rng, self._families) for _ in range(_FACES)]
        self._write(rng, canvas, faces, roll)
        clutter.foreign(rng, canvas, self.options.clutter, faces, roll, self._texts, self._read)
        clutter.in_front(rng, canvas, self.options.clutter, self._textures)
        shot = random_shot(rng, self.options.size[0] / 800, canvas.light, self.options.harshness)
        image = take(rng, canvas.image, shot)
        return Scene(image, judge(image, canvas, shot.softness), canvas.ids)

    def _background(self, rng: random.Random, roll: float) -> Canvas:
        width, height = self.options.size
        if self._hosts and rng.random() < _HOST_SHARE:
            return _host((width, height), rng.choice(self._hosts))
        place = self._textures.place(rng, width, height, roll)
        canvas = Canvas(place.image, place.planes)
        for outline in place.kept_free:
            canvas.reserve(outline)
        return canvas

    def _write(self, rng: random.Random, canvas: Canvas, faces: Sequence[Face], roll: float) -> None:
        wanted, written, failures = rng.randint(*self.options.words), 0, 0
        options = self.options
        signs = SignMaker(
            *(faces, self._texts, self._textures, options.height, roll, options.on_walls, options.tilt),
            handwritten=options.handwritten,
        )
        while written < wanted and failures < _PATIENCE:
            most = wanted - written if failures < _PATIENCE // 3 else 1  # gaps that are left take single words
            if self._crops and rng.random() < _CROP_SHARE:
                pose, height = random_pose(rng, roll, self.options.tilt), random_height(rng, *self.options.height)
                added = int(paste(rng, canvas, *draw_crop(rng, self._crops), pose, height * 1.3))
            else:
                added = signs.put_up(rng, canvas, most)
            written += added
            failures += not added


def _host(size: tuple[int, int], host: AnnotatedImage) -> Canvas:
    """A labelled image, resized to the size asked for, with its words."""
    photo = read_photo(host.path)
    canvas = Canvas(as_bytes(cv2.resize(photo, size, interpolation=cv2.INTER_AREA)))
    scale = np.array([size[0] / host.width, size[1] / host.height], np.float32)
    for word in host.words:
        canvas.add_area(word.polygon * scale, word.text, ignore=word.ignore)
        canvas.reserve(word.polygon * scale)
    return canvas
