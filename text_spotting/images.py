"""Whatever may be given as an image, as an array."""

import os
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from text_spotting.errors import UserError
from text_spotting.image_files import decode_image, pillow_to_bgr, read_image
from text_spotting.preprocess import to_bgr
from text_spotting.words import Image

URL_SCHEMES = ("http://", "https://")
_TIMEOUT = 30.0
"""Seconds that a server may stay silent."""
_LARGEST_DOWNLOAD = 100_000_000
_WHITE = 255


def load_image(source: Any, color: str = "bgr") -> Image:
    """Return an image as (H, W, 3) uint8 BGR.

    Args:
        source: a path, an http(s) URL, the bytes of an image file or an open binary file, a PIL image (turned as its
            EXIF data says), or an array: grey, three or four channels, of uint8, uint16 (high byte) or floats in 0..1.
        color: order of an array's channels, "bgr" or "rgb"; all else knows its own.

    Raises:
        UserError: nothing that can be read as an image.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source, color)
    if isinstance(source, str) and source.startswith(URL_SCHEMES):
        return decode_image(_download(source), Path(source))
    if isinstance(source, str | os.PathLike):
        return read_image(Path(source))
    if isinstance(source, bytes | bytearray | memoryview):
        return decode_image(bytes(source), Path(f"{len(source)} bytes"))
    if type(source).__module__.split(".")[0] == "PIL":
        return _from_pil(source)
    if hasattr(source, "read"):
        return decode_image(source.read(), Path(str(getattr(source, "name", "the file given"))))
    raise UserError(f"an image may be a path, a URL, bytes, a PIL image or a numpy array, not {type(source).__name__}")


def _from_array(array: Any, color: str) -> Image:
    if np.issubdtype(array.dtype, np.floating):
        array = _bytes_of_floats(array)
    if color == "rgb" and array.ndim == 3 and array.shape[2] >= 3:
        array = array[:, :, [2, 1, 0]]
    return to_bgr(array)


def _bytes_of_floats(array: Any) -> Any:
    """0..1 to 0..255; whether larger floats were meant as bytes is not guessed."""
    low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)
    if not (low >= 0 and high <= 1):  # false for not-a-number, too
        raise UserError(
            f"an array of floats must hold values from 0 to 1, this one has {low:g} to {high:g};"
            " bytes are given as array.astype(np.uint8)"
        )
    return np.rint(array * np.float32(_WHITE)).astype(np.uint8)


def _from_pil(image: Any) -> Image:
    from PIL import ImageOps

    return to_bgr(pillow_to_bgr(ImageOps.exif_transpose(image)))


def _download(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "text-spotting"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            content: bytes = answer.read(_LARGEST_DOWNLOAD + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise UserError(f"{url}: cannot be downloaded ({reason})") from error
    if len(content) > _LARGEST_DOWNLOAD:
        raise UserError(f"{url}: larger than {_LARGEST_DOWNLOAD // 1_000_000} MB")
    return content
