"""Where words are read on their own: in their true frames and in those that a detector found."""

import cv2
import numpy as np

from text_spotting.frames import MARGIN, cut_out, reading_frame, widen
from text_spotting.words import FloatArray, Image

_FINEST = 2.0
"""Words more than so many times as high as they are wanted are made smaller first, or pooling would skip pixels."""


def found_frame(polygon: FloatArray) -> FloatArray:
    """The frame (3, 2) in which a spotter reads a word of this outline."""
    return _widened(reading_frame(polygon))


def true_frame(polygon: FloatArray) -> FloatArray:
    """The frame (3, 2) of a true outline, read from the outline's first corner to its second."""
    corner, along, across = reading_frame(polygon)
    first = polygon[1] - polygon[0]
    sides = [(corner, along, across), (corner + across, -across, along)]
    sides += [(corner + along + across, -along, -across), (corner + along, across, -along)]
    best = max(sides, key=lambda side: float(first @ side[1]) / max(float(np.linalg.norm(side[1])), 1e-6))
    return _widened(np.array(best, np.float32))


def whole_frame(image: Image) -> FloatArray:
    """The frame (3, 2) of a whole image."""
    height, width = image.shape[:2]
    return np.array([[0, 0], [width, 0], [0, height]], np.float32)


def _widened(frame: FloatArray) -> FloatArray:
    """All readers see the same margin, whatever a model's own is."""
    return np.asarray(widen(frame[None], MARGIN)[0], np.float32)


def frame_height(frame: FloatArray) -> float:
    """Length of the side across the text; never 0."""
    return max(float(np.linalg.norm(frame[2])), 1e-3)


def frame_width(frame: FloatArray) -> float:
    """Length of the side along the text; never 0."""
    return max(float(np.linalg.norm(frame[1])), 1e-3)


def cut(image: Image, frame: FloatArray, size: tuple[int, int]) -> Image:
    """The word in a frame (3, 2) as an image of height, width ``size``, large words without skipped pixels."""
    region, inside = _around(image, frame)
    factor = _FINEST * max(size[0] / frame_height(frame), size[1] / frame_width(frame))
    if factor < 1:
        rows, columns = (max(round(side * factor), 1) for side in region.shape[:2])
        scale = np.array([columns / region.shape[1], rows / region.shape[0]], np.float32)
        region = np.asarray(cv2.resize(region, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
        inside = inside * scale
    return cut_out(region, inside, size)


def cut_native(image: Image, frame: FloatArray) -> Image:
    """The word in a frame (3, 2) in the image's own resolution; a whole image comes out as it is."""
    width, height = max(round(frame_width(frame)), 2), max(round(frame_height(frame)), 2)
    corner, along, across = np.asarray(frame, np.float64)
    step_x, step_y = along / width, across / height
    matrix = np.column_stack([step_x, step_y, corner + (step_x + step_y) / 2 - 0.5])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    word = cv2.warpAffine(image, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(word, np.uint8)


def _around(image: Image, frame: FloatArray) -> tuple[Image, FloatArray]:
    """The part of the image around a frame, and the frame in it."""
    corner, along, across = frame
    corners = np.array([corner, corner + along, corner + across, corner + along + across])
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(corners.min(axis=0)) - 2, 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0)) + 2, [left + 1, top + 1], [width, height]).astype(int)
    return image[top:bottom, left:right], np.array([corner - [left, top], along, across], np.float32)
