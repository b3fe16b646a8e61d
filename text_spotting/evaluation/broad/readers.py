"""Recognisers on their own: each cuts words out of pictures as it wants them, and reads many together."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Protocol

import numpy as np

from text_spotting.alphabet import START, STOP
from text_spotting.evaluation.broad.frames import cut, cut_native
from text_spotting.manifest import Manifest
from text_spotting.runtime.reading import HEIGHT, crop_widths
from text_spotting.words import FloatArray, Image

BATCH = 64
"""Words read together."""


class Reader(Protocol):
    """Reads words."""

    def cut(self, image: Image, frame: FloatArray) -> Image:
        """The word in a frame (3, 2) as the reader takes it."""

    def read(self, words: Sequence[Image]) -> list[str]:
        """The texts of words that ``cut`` returned."""


ReadFeatures = Callable[[FloatArray], list[str]]
"""Text features (N, 3, height, width), normalised crops, to texts."""


class AttentionReader:
    """The text encoder and decoder of a model that pools words from pixels.

    Args:
        size: height, width of a crop.
    """

    def __init__(self, read_features: ReadFeatures, size: tuple[int, int], manifest: Manifest) -> None:
        self.read_features, self.size, self.manifest = read_features, size, manifest

    def cut(self, image: Image, frame: FloatArray) -> Image:
        return cut(image, frame, self.size)

    def read(self, words: Sequence[Image]) -> list[str]:
        mean = np.array(self.manifest.mean, np.float32)[:, None, None]
        std = np.array(self.manifest.std, np.float32)[:, None, None]
        texts: list[str] = []
        for start in range(0, len(words), BATCH):
            pixels = np.stack(words[start : start + BATCH]).transpose(0, 3, 1, 2)
            ordered = pixels[:, ::-1] if self.manifest.to_rgb else pixels
            texts += self.read_features(np.ascontiguousarray((ordered - mean) / std, np.float32))
        return texts


Recognise = Callable[[Image], FloatArray]
"""Upright crops (N, 32, W, 3) uint8 BGR to probabilities (N, W / 4, classes)."""


class CtcReader:
    """A recogniser with a CTC head, which reads words at their own width.

    Args:
        recognise: what reads; it is shown few widths.
        symbols: one character a class; the first is CTC's blank.
        stretch: most that a crop is made wider than a word's shape, as the spotter does, see ``runtime.reading``.
    """

    def __init__(self, recognise: Recognise, symbols: str, stretch: float = 1.0) -> None:
        self.recognise, self.symbols, self.stretch = recognise, symbols, stretch

    def cut(self, image: Image, frame: FloatArray) -> Image:
        return cut(image, frame, (HEIGHT, int(crop_widths(frame[None], self.stretch)[0])))

    def read(self, words: Sequence[Image]) -> list[str]:
        texts = [""] * len(words)
        by_width = sorted(range(len(words)), key=lambda row: words[row].shape[1])
        for _, same in groupby(by_width, key=lambda row: words[row].shape[1]):
            rows = list(same)
            for start in range(0, len(rows), BATCH):
                some = rows[start : start + BATCH]
                probabilities = self.recognise(np.stack([words[row] for row in some]))
                for row, columns in zip(some, probabilities, strict=True):
                    texts[row] = best_path(columns, self.symbols)
        return texts


def best_path(columns: FloatArray, symbols: str) -> str:
    """The likeliest symbol of each column (T, classes), repetitions merged and blanks, class ``START``, left out.

    The class ``STOP`` is no symbol: there a model tells where words meet.

    Best path decoding (Graves et al. 2006, section 3.2).
    """
    read = columns.copy()
    read[:, STOP] = 0
    merged = [label for label, _ in groupby(read.argmax(axis=1).tolist())]
    return "".join(symbols[label] for label in merged if label != START)


class NativeReader:
    """A recogniser that takes words of any size, such as the one of the pip package rapidocr as it ships.

    Args:
        recognise: texts of upright crops (H, W, 3) BGR in the picture's own resolution.
    """

    def __init__(self, recognise: Callable[[Sequence[Image]], list[str]]) -> None:
        self.recognise = recognise

    def cut(self, image: Image, frame: FloatArray) -> Image:
        return cut_native(image, frame)

    def read(self, words: Sequence[Image]) -> list[str]:
        return self.recognise(words)
