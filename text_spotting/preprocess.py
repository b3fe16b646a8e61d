"""From an image to the detector's input, the same for PyTorch, ONNX, OpenVINO and calibration."""

from typing import Any

import cv2
import numpy as np

from text_spotting.errors import UserError
from text_spotting.manifest import MAX_SIDE, Manifest
from text_spotting.words import FloatArray, Image

_CHANNELS = (1, 3, 4)


def to_bgr(image: Any) -> Image:
    """Return the image as (H, W, 3) uint8 BGR.

    Grey images get three equal channels, an alpha channel is dropped, 16-bit values keep their high byte.

    Raises:
        UserError: not an array of a known shape and type, no pixels, or a side above ``manifest.MAX_SIDE``.
    """
    if not isinstance(image, np.ndarray):
        raise UserError(f"an image must be a numpy array (H, W, 3) of uint8 in BGR order, not {type(image).__name__}")
    _check_shape(image.shape)
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.dtype != np.uint8:
        raise UserError(f"an image must hold uint8 (or uint16) values, not {image.dtype}; convert it to 0..255 first")
    if image.ndim == 2 or image.shape[2] == 1:
        image = np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
    return np.ascontiguousarray(image[:, :, :3], np.uint8)


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in _CHANNELS):
        raise UserError(f"an image must be (H, W), (H, W, 3) or (H, W, 4), not {shape}")
    height, width = shape[:2]
    if not height or not width:
        raise UserError(f"the image is empty: {width}x{height} pixels")
    if max(height, width) > MAX_SIDE:
        raise UserError(f"the image is too large: {width}x{height} pixels; at most {MAX_SIDE} a side, cut it first")


def fit_to_input(image: Image, manifest: Manifest) -> tuple[Image, tuple[float, float]]:
    """Resize a checked image to the input size.

    With ``keep_aspect`` the rest, right and below, is filled with the mean color, which is (nearly) zero once
    normalised: what padding is in training. It is rounded to bytes here so that every back end sees equal numbers.

    Returns:
        The canvas (H, W, 3) uint8 BGR of the manifest's size, and the factors (x, y) from image to canvas.
    """
    width, height = manifest.input_size
    rows, columns = image.shape[:2]
    if not manifest.keep_aspect:
        return _resize(image, width, height), (width / columns, height / rows)
    factor = min(width / columns, height / rows)
    new_width = max(1, min(width, round(columns * factor)))
    new_height = max(1, min(height, round(rows * factor)))
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:new_height, :new_width] = _resize(image, new_width, new_height)
    canvas[:new_height, new_width:] = canvas[new_height:] = _padding_color(manifest)
    return canvas, (new_width / columns, new_height / rows)


def _resize(image: Image, width: int, height: int) -> Image:
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _padding_color(manifest: Manifest) -> Image:
    color = manifest.mean[::-1] if manifest.to_rgb else manifest.mean
    return np.rint(color).astype(np.uint8)


def raw_input(canvas: Image, manifest: Manifest) -> Image:
    """Return the canvas (H, W, 3) in the color order that an embedded graph takes."""
    return np.ascontiguousarray(canvas[:, :, ::-1]) if manifest.input_order == "RGB" else canvas


def to_tensor(canvas: Image, manifest: Manifest) -> FloatArray:
    """Return the canvas as [1, 3, H, W] float32: raw where the graph embeds the rest, else normalised."""
    if manifest.embedded:
        return np.ascontiguousarray(raw_input(canvas, manifest).transpose(2, 0, 1)[None], dtype=np.float32)
    return normalise(canvas[None], manifest)


def normalise(images: Image, manifest: Manifest) -> FloatArray:
    """Images (N, H, W, 3) uint8 BGR as a network that embeds nothing takes them: [N, 3, H, W] float32."""
    ordered = images[..., ::-1] if manifest.to_rgb else images
    mean, std = np.array(manifest.mean, np.float32), np.array(manifest.std, np.float32)
    normalised = (ordered.astype(np.float32) - mean) / std
    return np.ascontiguousarray(normalised.transpose(0, 3, 1, 2))


def prepare(image: Any, manifest: Manifest) -> tuple[FloatArray, tuple[float, float]]:
    """Check, resize, and lay out an image for the detector.

    Returns:
        Tensor [1, 3, H, W] float32 and the factors (x, y) from image to input pixels.

    Raises:
        UserError: see ``to_bgr``.
    """
    canvas, scale = fit_to_input(to_bgr(image), manifest)
    return to_tensor(canvas, manifest), scale
