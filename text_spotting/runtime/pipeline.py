"""The stages of spotting words in an image, for any engine."""

from typing import NamedTuple

import numpy as np

from text_spotting.constraints import Lexicon
from text_spotting.contract import Engine
from text_spotting.decoding import Classes, Reading
from text_spotting.frames import mask_frames
from text_spotting.postprocess import select, to_image, to_words
from text_spotting.preprocess import fit_to_input
from text_spotting.runtime.reading import PixelReadings, read_features, read_twice
from text_spotting.words import FloatArray, Image, Word


class Found(NamedTuple):
    """What was found in an image.

    Attributes:
        boxes: [N, 5] x1, y1, x2, y2, score in pixels of the image.
        masks: [N, M, M].
        frames: [N, 3, 2] that the words lie in.
        text_features: [N, C, h, w].
    """

    boxes: FloatArray
    masks: FloatArray
    frames: FloatArray
    text_features: FloatArray


def prepare(engine: Engine, image: Image) -> tuple[Image, tuple[float, float]]:
    """The canvas that the engine looks at, and the factors (x, y) from the image to it."""
    return fit_to_input(image, engine.manifest)


def find(engine: Engine, canvas: Image, scale: tuple[float, float]) -> Found:
    """Find words on a canvas."""
    detections = engine.detect(canvas)
    rows = select(detections.boxes, engine.manifest)
    boxes, masks = to_image(detections.boxes[rows], scale), detections.masks[rows]
    frames = mask_frames(boxes[:, :4], masks, engine.manifest.mask_thr)
    return Found(boxes, masks, frames, detections.text_features[rows])


def read(
    engine: Engine, image: Image, found: Found, allowed: Classes | None = None, lexicon: Lexicon | None = None
) -> PixelReadings:
    """Read what was found from text features, and with a recognizer some of it from the image's pixels, too."""
    if engine.manifest.recognizer:
        return read_twice(engine, image, found.frames, found.boxes[:, 4], found.text_features, allowed, lexicon)
    return PixelReadings(read_features(engine, found.text_features, allowed, lexicon), found.frames)


def finish(engine: Engine, image: Image, found: Found, frames: FloatArray, readings: list[Reading]) -> list[Word]:
    """Words with their places in the image."""
    height, width = np.shape(image)[:2]
    return to_words(found.boxes, found.masks, frames, readings, image_size=(width, height), manifest=engine.manifest)
