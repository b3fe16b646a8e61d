"""Single words, cut out the way the spotter cuts them, for training the recogniser without a detector."""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import torch
from mmdet.registry import DATASETS
from numpy.random import Generator
from torch.utils.data import Dataset

from text_spotting.alphabet import DEFAULT, Alphabet
from text_spotting.annotations.dataset_file import read_datasets
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.data.dataset import build_transforms
from text_spotting.data.packing import pad_texts
from text_spotting.data.transforms import Sample
from text_spotting.errors import UserError
from text_spotting.frames import FrameJitter, cut_out, reading_frame, reads_forward
from text_spotting.image_files import read_image
from text_spotting.words import Image, Word

LOGGER = logging.getLogger(__name__)

CONTEXT = 0.5
"""Free space kept around a word of a photo, in heights of the word."""
SMALL = (8.0, 24.0)
"""Heights in pixels of words that are hard to read for their size."""
KEPT_HEIGHT = 64.0
"""Words of photos are kept at most this high, in pixels: more is averaged away when they are pooled."""


@DATASETS.register_module()
class WordCropDataset(Dataset):
    """Words drawn on the fly or cut out of photos, as the recogniser gets them.

    Args:
        size: height, width of a pooled word.
        length: words in an epoch.
        ann_files, data_roots: photos with words, see ``read_datasets``; their words are held in memory.
        real_share: probability of a real word; the others are rendered.
        shrunk_share: probability that a real word is made as small as those that are hard to read.
        transforms: configs of the transforms in ``data.transforms``.
        options: fields of ``synth.crops.WordOptions``.
        alphabet: what is read, see ``Alphabet.of``.
        frame_jitter: how far frames are off, see ``FrameJitter.of``.

    Items have ``inputs`` (3, height, width) uint8 BGR and ``texts`` (T,), T the alphabet's ``max_length``.
    """

    def __init__(
        self,
        size: tuple[int, int],
        length: int,
        ann_files: str | Sequence[str] = (),
        data_roots: str | Sequence[str] = (),
        real_share: float = 0.0,
        shrunk_share: float = 0.0,
        transforms: Sequence[dict[str, Any]] = (),
        options: dict[str, Any] | None = None,
        seed: int = 0,
        alphabet: dict[str, Any] | None = None,
        frame_jitter: dict[str, float] | None = None,
    ) -> None:
        from text_spotting.synth.crops import WordGenerator, WordOptions

        self.alphabet = Alphabet.of(alphabet)
        self.size = size
        self.length = length
        self.words = [word for image in read_datasets(ann_files, data_roots) for word in words_of(image, self.alphabet)]
        self.real_share = real_share if self.words else 0.0
        self.shrunk_share = shrunk_share
        self.transforms = build_transforms(transforms)
        self.generator = WordGenerator(WordOptions(**{"alphabet": self.alphabet, **(options or {})}))
        self.frame_jitter = FrameJitter.of(frame_jitter)
        self.seed = seed

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, Any]:
        rng = np.random.default_rng((self.seed, index))
        image, word = self._draw(rng)
        sample = Sample(cut_out(image, self.frame_jitter(reading_frame(word.polygon), rng), self.size), ())
        for transform in self.transforms:
            sample = transform(sample, rng)
        inputs = torch.from_numpy(np.ascontiguousarray(sample.image.transpose(2, 0, 1)))
        return {"inputs": inputs, "texts": pad_texts([word.text], self.alphabet)[0]}

    def _draw(self, rng: Generator) -> tuple[Image, Word]:
        if rng.random() >= self.real_share:
            return self._render(rng)
        image, word = self.words[rng.integers(len(self.words))]
        if rng.random() >= self.shrunk_share:
            return image, word
        return shrink(image, word, math.exp(rng.uniform(*np.log(SMALL))))

    def _render(self, rng: Generator) -> tuple[Image, Word]:
        while True:
            image, word = self.generator(int(rng.integers(2**31)))
            if self.alphabet.encode(word.text):
                return image, word


def shrink(image: Image, word: Word, height: float) -> tuple[Image, Word]:
    """Make a word at most ``height`` pixels high."""
    factor = height / max(float(np.linalg.norm(reading_frame(word.polygon)[2])), 1.0)
    if factor >= 1:
        return image, word
    smaller = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    scale = np.array(smaller.shape[1::-1], np.float32) / np.array(image.shape[1::-1], np.float32)
    return smaller, replace(word, polygon=(word.polygon * scale).astype(np.float32))


def words_of(image: AnnotatedImage, alphabet: Alphabet = DEFAULT) -> Iterator[tuple[Image, Word]]:
    """Yield the words of a photo that an alphabet can write, as ``cut_words`` does, without outer marks it lacks."""
    said = alphabet.strip_punctuation
    for pixels, word in cut_words(image, lambda word: bool(alphabet.encode(said(word.text)))):
        yield pixels, replace(word, text=said(word.text))


def cut_words(image: AnnotatedImage, asked: Callable[[Word], bool]) -> Iterator[tuple[Image, Word]]:
    """Yield the words of a photo that are upright and asked for, each in an image of its own with a little around."""
    wanted = [word for word in image.words if not word.ignore and asked(word) and is_upright(word)]
    if not wanted:
        return
    try:
        pixels = read_image(image.path)
    except UserError as error:
        LOGGER.warning("left out an image's words: %s", error)
        return
    for word in wanted:
        height = float(np.linalg.norm(reading_frame(word.polygon)[2]))
        x1, y1, x2, y2 = np.array(word.box) + np.array([-1, -1, 1, 1]) * CONTEXT * height
        left, top = max(int(x1), 0), max(int(y1), 0)
        region = pixels[top : int(y2) + 1, left : int(x2) + 1]
        polygon = word.polygon - np.array([left, top], np.float32)
        kept, small = shrink(region, Word(polygon, word.text), KEPT_HEIGHT)
        yield kept.copy(), small


def is_upright(word: Word) -> bool:
    """Whether the word is read from its first corner to its second, as its frame has it: not upside down."""
    _, along, across = reading_frame(word.polygon)
    return bool(across.any()) and bool(reads_forward(word.polygon[1] - word.polygon[0], along))
