"""Recognisers on their own: each cuts words out of images as it wants them, and reads many together."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Protocol

import numpy as np

from text_spotting.decoding import Reading, ctc_decode
from text_spotting.evaluation.broad.frames import cut, cut_native
from text_spotting.manifest import Manifest
from text_spotting.preprocess import normalise
from text_spotting.runtime.reading import HEIGHT, agreed, crop_widths, doubtful
from text_spotting.words import FloatArray, Image

BATCH = 64
"""Words read together."""


class Reader(Protocol):
    """Reads words."""

    def cut(self, image: Image, frame: FloatArray) -> Any:
        """The word in a frame (3, 2) as the reader takes it."""

    def read(self, words: Sequence[Any]) -> list[str]:
        """The texts of words that ``cut`` returned."""


ReadFeatures = Callable[[FloatArray], list[Reading]]
"""Text features (N, 3, height, width), normalised crops, to readings."""


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
        return [reading.text for reading in self.readings(words)]

    def readings(self, words: Sequence[Image]) -> list[Reading]:
        """Texts with scores."""
        found: list[Reading] = []
        for start in range(0, len(words), BATCH):
            found += self.read_features(normalise(np.stack(words[start : start + BATCH]), self.manifest))
        return found


Recognise = Callable[[Image], FloatArray]
"""Upright crops (N, 32, W, 3) uint8 BGR to probabilities (N, W / 4, classes)."""


class CtcReader:
    """A recogniser with a CTC head, which reads words at their own width.

    Args:
        recognise: what reads; it is shown few widths.
        manifest: says which class is which symbol, and how wide words are shown, see ``runtime.reading``.
    """

    def __init__(self, recognise: Recognise, manifest: Manifest) -> None:
        self.recognise, self.manifest = recognise, manifest

    def cut(self, image: Image, frame: FloatArray) -> Image:
        return cut(image, frame, (HEIGHT, int(crop_widths(frame[None], self.manifest.read_stretch)[0])))

    def read(self, words: Sequence[Image]) -> list[str]:
        return [reading.text for reading in self.readings(words)]

    def readings(self, words: Sequence[Image]) -> list[Reading]:
        """Texts with scores."""
        found: dict[int, Reading] = {}
        by_width = sorted(range(len(words)), key=lambda row: words[row].shape[1])
        for _, same in groupby(by_width, key=lambda row: words[row].shape[1]):
            rows = list(same)
            for start in range(0, len(rows), BATCH):
                some = rows[start : start + BATCH]
                columns = self.recognise(np.stack([words[row] for row in some]))
                found.update(zip(some, ctc_decode(columns, self.manifest), strict=True))
        return [found[row] for row in range(len(words))]


class BothReader:
    """Both recognisers of a model as its spotter has them read: by CTC, and where that is unsure by attention, too."""

    def __init__(self, ctc: CtcReader, attention: AttentionReader) -> None:
        self.ctc, self.attention = ctc, attention

    def cut(self, image: Image, frame: FloatArray) -> tuple[Image, Image]:
        return self.ctc.cut(image, frame), self.attention.cut(image, frame)

    def read(self, words: Sequence[tuple[Image, Image]]) -> list[str]:
        readings = self.ctc.readings([wide for wide, _ in words])
        again = doubtful(readings)
        for row, other in zip(again, self.attention.readings([words[row][1] for row in again]), strict=True):
            readings[row] = agreed(other, readings[row])
        return [reading.text for reading in readings]


class NativeReader:
    """A recogniser that takes words of any size, such as the one of the pip package rapidocr as it ships.

    Args:
        recognise: texts of upright crops (H, W, 3) BGR in the image's own resolution.
    """

    def __init__(self, recognise: Callable[[Sequence[Image]], list[str]]) -> None:
        self.recognise = recognise

    def cut(self, image: Image, frame: FloatArray) -> Image:
        return cut_native(image, frame)

    def read(self, words: Sequence[Image]) -> list[str]:
        return self.recognise(words)
