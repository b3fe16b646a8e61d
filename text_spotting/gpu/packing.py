"""From data sets to the records of shards: whole photos for the detector, single words for the reader.

Texts are packed as they were transcribed, so that shards serve every alphabet.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np

from text_spotting.alphabet import Alphabet
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.data.word_crops import cut_words
from text_spotting.geometry import min_area_rect
from text_spotting.gpu.shards import Packed
from text_spotting.image_files import read_image
from text_spotting.words import FloatArray, Image

LONGEST = 1280
"""Photos are packed with at most this many pixels on their longer side."""
CANVAS = (96, 320)
"""Height, width that a packed word with its surroundings must fit into."""


def photos(source: str, images: Iterable[AnnotatedImage], size: tuple[int, int] | None = None) -> Iterator[Packed]:
    """Whole photos with their words.

    Args:
        source: name of the data set.
        size: width, height that the images have by rights where they are stored squeezed. They stay as they lie;
            their records say in ``source`` what to stretch them to, as ``NAME@WIDTHxHEIGHT``.

    Raises:
        UserError: an image is missing or broken.
    """
    name = source if size is None else f"{source}@{size[0]}x{size[1]}"
    for annotated in images:
        image = read_image(annotated.path)
        factor = min(1.0, LONGEST / max(image.shape[:2]))
        image = _shrunk(image, factor)
        words = annotated.words
        polygons = np.array([quad(word.polygon) for word in words], np.float32).reshape(-1, 4, 2)
        yield Packed(name, image, polygons * factor, [word.text for word in words], [word.ignore for word in words])


def single_words(source: str, images: Iterable[AnnotatedImage]) -> Iterator[Packed]:
    """The transcribed words of photos, each in an image of its own with a little around it."""
    for annotated in images:
        for image, word in cut_words(annotated, lambda word: bool(word.text)):
            factor = min(1.0, CANVAS[0] / image.shape[0], CANVAS[1] / image.shape[1])
            yield Packed(source, _shrunk(image, factor), quad(word.polygon)[None] * factor, [word.text], [False])


def readable(words: Iterable[Packed], alphabet: Alphabet) -> Iterator[Packed]:
    """Those of single words that an alphabet can write, without outer marks that it lacks."""
    for word in words:
        text = alphabet.strip_punctuation(word.texts[0])
        if 0 < len(alphabet.encode(text)) <= alphabet.max_length:
            yield replace(word, texts=[text])


def quad(polygon: FloatArray) -> FloatArray:
    """Four corners (4, 2): a polygon's own, or those of its smallest turned rectangle."""
    return np.asarray(polygon if len(polygon) == 4 else min_area_rect(polygon), np.float32)


def _shrunk(image: Image, factor: float) -> Image:
    if factor >= 1:
        return image
    size = (max(1, int(image.shape[1] * factor)), max(1, int(image.shape[0] * factor)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
