"""Let an existing recogniser transcribe words that a data set only outlines.

Only words without transcription are touched, and every text that is filled in says where it comes from
(``attributes: {"source": "pseudo", "confidence": ...}``), so that it can be told apart and taken out again.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np

from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage, LabelledWord, labelled
from text_spotting.errors import UserError
from text_spotting.geometry import min_area_rect
from text_spotting.image_files import read_image
from text_spotting.words import FloatArray, Image, Word

Recogniser = Callable[[Image], tuple[str, float]]
"""Reads one upright crop: text and confidence in 0..1."""

SOURCE = "pseudo"
TALL = 1.5
"""Height over width from which a crop may be a word that stands on end."""
TURNED_LENGTH = 3
"""Fewest characters that are believed of a turned crop: "98" also reads "86" upside down."""


def pseudo_label(
    images: Sequence[AnnotatedImage], recognise: Recogniser, min_score: float, problems: Problems | None = None
) -> Iterator[tuple[AnnotatedImage, Counter[str]]]:
    """Yield every image with what could be read filled in, and how many words were labelled, unsure or left alone."""
    problems = Problems() if problems is None else problems
    for image in images:
        counts: Counter[str] = Counter()
        pixels = _load(image, problems) if any(_wanted(word) for word in image.words) else None
        words = [_fill(labelled(word), pixels, recognise, min_score, counts) for word in image.words]
        yield replace(image, words=words), counts


def rectify(image: Image, polygon: FloatArray) -> Image:
    """Cut a word out and straighten it by the perspective that its quad shows.

    A quad's first corner becomes the top left one; any other polygon is taken by its smallest rotated rectangle.
    """
    quad = polygon if len(polygon) == 4 else _from_top_left(min_area_rect(polygon))
    if _signed_area(quad) < 0:
        quad = quad[[0, 3, 2, 1]]
    top, right, bottom, left = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    width, height = max(round(float(max(top, bottom))), 2), max(round(float(max(left, right))), 2)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), target)
    return cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _load(image: AnnotatedImage, problems: Problems) -> Image | None:
    try:
        return read_image(image.path)
    except UserError as error:
        problems.add_unreadable("image cannot be read: its words are left as they are", error)
        return None


def _wanted(word: Word) -> bool:
    return not word.text and not word.ignore


def _fill(
    word: LabelledWord, pixels: Image | None, recognise: Recogniser, min_score: float, counts: Counter[str]
) -> LabelledWord:
    if pixels is None or not _wanted(word):
        counts["left alone"] += 1
        return word
    text, score = _read(rectify(pixels, word.polygon), recognise, min_score)
    if not text:
        counts["unsure"] += 1
        return word
    counts["labelled"] += 1
    return replace(word, text=text, score=score, attributes={**word.attributes, "source": SOURCE})


def _read(crop: Image, recognise: Recogniser, min_score: float) -> tuple[str, float]:
    """The first way round that reads surely; an empty text when none does."""
    for turns in (0, 1, 3, 2) if crop.shape[0] > TALL * crop.shape[1] else (0, 2):
        text, score = recognise(np.ascontiguousarray(np.rot90(crop, turns)))
        text = unicodedata.normalize("NFKC", text).strip()
        if score >= min_score and len(text) >= (TURNED_LENGTH if turns else 1):
            return text, float(score)
    return "", 0.0


def _from_top_left(rect: FloatArray) -> FloatArray:
    """Corners of a rectangle, clockwise, from the left end of its upper long side."""
    clockwise = rect if _signed_area(rect) > 0 else rect[::-1]
    start = int(np.argmin(clockwise.sum(axis=1)))
    rolled = np.roll(clockwise, -start, axis=0)
    return np.asarray(rolled, dtype=np.float32)


def _signed_area(quad: FloatArray) -> float:
    """Positive when the corners run clockwise as seen on the screen."""
    x, y = quad[:, 0], quad[:, 1]
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2
