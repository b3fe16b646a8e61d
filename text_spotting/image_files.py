"""Image files: which endings they have, how one is found, read and written. The one way for every part."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from text_spotting.errors import UserError
from text_spotting.files.writing import write_whole
from text_spotting.words import Image

IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"),
    *(".jpe", ".jfif", ".jp2", ".avif", ".ppm", ".pgm", ".pbm", ".pnm"),
)
"""Endings, in small letters, of what counts as an image in a folder."""
LIMIT_VARIABLE = "TEXT_SPOTTING_MAX_PIXELS"
MAX_PIXELS = 89_478_485
"""Most pixels that are decoded unless ``LIMIT_VARIABLE`` says more; 268 MB once decoded. Pillow warns from here on."""

_FORMATS = ("JPEG", "PNG", "BMP", "DIB", "WEBP", "TIFF", "GIF", "PPM", "JPEG2000", "AVIF")
_DECODED_BY_OPENCV = ("JPEG", "MPO", "PNG", "BMP", "DIB", "WEBP")
_ORIENTATION = 0x0112
_TURNS: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.transpose(1, 0, 2),
    6: lambda image: image.transpose(1, 0, 2)[:, ::-1],
    7: lambda image: image.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda image: image.transpose(1, 0, 2)[::-1],
}
"""What makes an image of EXIF orientation 2..8 upright (EXIF 2.32, tag 274)."""
_ROWS = 256
"""Rows that are laid over a background at once, so that a large image needs little more memory than its own."""


@dataclass(frozen=True, slots=True)
class Header:
    """What an image file says before it is decoded.

    Attributes:
        width, height: in pixels, once turned upright.
        orientation: EXIF orientation 1..8 that the stored pixels have.
        format: Pillow's name.
    """

    width: int
    height: int
    orientation: int
    format: str


def is_image(path: Path) -> bool:
    """Whether a file counts as an image by its name; names that begin with a dot never do."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def find_by_stem(folder: Path, stem: str) -> list[Path]:
    """All images of that name whatever their ending, in the order of ``IMAGE_SUFFIXES``."""
    found: dict[Path, None] = {}
    for suffix in IMAGE_SUFFIXES:
        for candidate in (folder / (stem + suffix), folder / (stem + suffix.upper())):
            if is_file(candidate) and not any(candidate.samefile(other) for other in found):
                found[candidate] = None
    return list(found)


def find_named(folder: Path, name: str) -> Path:
    """The image that an annotation names, below ``folder``; backslashes separate folders where Windows wrote them.

    What is returned need not exist.
    """
    path = folder / name
    if "\\" not in name or is_file(path):
        return path
    return folder / name.replace("\\", "/")


def is_file(path: Path) -> bool:
    """Whether there is a file of that name, which may be no possible name at all."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with a null byte
        return False


def read_header(path: Path) -> Header:
    """Read an image's size without decoding it.

    Raises:
        UserError: it is missing, is not an image, is broken or has more than the allowed number of pixels.
    """
    try:
        _require_file(path)
        with path.open("rb") as file, _open(file, path) as image:
            return _header(image, path)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read image {path}: {getattr(error, 'strerror', None) or error}") from error


def read_image(path: Path) -> Image:
    """Read an image as BGR, upright as its EXIF data says; what is transparent is laid over what shows it.

    Raises:
        UserError: see ``read_header``, or its end is missing.
    """
    try:
        _require_file(path)
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read image {path}: {getattr(error, 'strerror', None) or error}") from error
    return decode_image(content, path)


def _require_file(path: Path) -> None:
    """Pipes and devices would be waited for without end."""
    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")


def decode_image(content: bytes, path: Path) -> Image:
    """Decode the content of an image file, see ``read_image``; ``path`` names it in messages."""
    import io

    with _open(io.BytesIO(content), path) as image:
        header = _header(image, path)
        _require_whole(content, header.format, path)
        try:
            return np.ascontiguousarray(_decode(content, image, header))
        except MemoryError as error:
            raise UserError(f"{path}: too large for this machine's memory") from error
        except Exception as error:  # whatever a decoder stumbles over in a broken file
            raise UserError(f"{path} is a broken image ({_first_line(error)}); replace it or leave it out") from error


def write_image(path: Path, image: Image) -> Path:
    """Write an image in one piece, in the format that the file's ending names, else as PNG with ``.png`` added.

    Returns:
        The file that was written; its folder is made if need be.

    Raises:
        UserError: the place cannot be written.
    """
    content = _encode(path.suffix.lower(), image)
    if content is None:
        path = path.with_name(f"{path.name}.png")
        content = _encode(".png", image)
    assert content is not None, "PNG takes every image"
    write_whole(path, content)
    return path


def _encode(suffix: str, image: Image) -> bytes | None:
    try:
        done, content = cv2.imencode(suffix, image)
    except cv2.error:  # an ending that OpenCV does not write
        return None
    return content.tobytes() if done else None


def allowed_pixels() -> int:
    """Most pixels of an image that are decoded.

    Raises:
        UserError: ``LIMIT_VARIABLE`` is set to something else than a number.
    """
    wanted = os.environ.get(LIMIT_VARIABLE, "")
    if not wanted:
        return MAX_PIXELS
    if not (wanted.isascii() and wanted.isdigit()) or len(wanted) > 12:
        raise UserError(f"{LIMIT_VARIABLE}={wanted}: expected a number of pixels, such as 200000000")
    return int(wanted)


def _open(file: Any, path: Path) -> Any:
    """Open with Pillow, which looks at no more than the header."""
    limit = allowed_pixels()
    if limit > MAX_PIXELS:
        Pillow.MAX_IMAGE_PIXELS = limit  # the user's own wish; else Pillow's limit stays as it is
    try:
        return Pillow.open(file, formats=_known_formats())
    except Pillow.DecompressionBombError as error:
        raise _too_large(path, str(error).split("(")[-1].split(" ")[0], limit) from error
    except Exception as error:  # whatever Pillow's parsers stumble over in a broken header
        hint = "HEIC cannot be read here, save it as JPEG" if _is_heic(file) else "replace it or leave it out"
        raise UserError(f"{path} is not an image or is broken; {hint}") from error


def _known_formats() -> list[str]:
    Pillow.init()
    return [name for name in _FORMATS if name in Pillow.OPEN]


def _is_heic(file: Any) -> bool:
    file.seek(0)
    start = file.read(12)
    return start[4:8] == b"ftyp" and start[8:11] in (b"hei", b"hev", b"mif")


def _header(image: Any, path: Path) -> Header:
    width, height = image.size
    limit = allowed_pixels()
    if width * height > limit:
        raise _too_large(path, f"{width}x{height}", limit)
    if not width or not height:
        raise UserError(f"{path} is not an image or is broken; replace it or leave it out")
    orientation = _orientation(image)
    # Pillow turns TIFF itself, and its size is the upright one.
    if orientation >= 5 and image.format != "TIFF":
        width, height = height, width
    return Header(width, height, orientation, str(image.format))


def _too_large(path: Path, size: str, limit: int) -> UserError:
    return UserError(
        f"{path}: {size} pixels are more than {limit}; cut it, or allow more by the environment variable "
        f"{LIMIT_VARIABLE}"
    )


def _orientation(image: Any) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # EXIF data that are broken are none
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _require_whole(content: bytes, kind: str, path: Path) -> None:
    """An image that was cut off on its way decodes with a grey rest, in which nobody finds the words."""
    ends = {"JPEG": (b"\xff\xda", b"\xff\xd9"), "MPO": (b"\xff\xda", b"\xff\xd9"), "PNG": (b"IDAT", b"IEND")}
    if kind in ends:
        begin, end = ends[kind]
        start = content.rfind(begin)
        if start >= 0 and content.find(end, start) < 0:
            raise UserError(f"{path} is cut off: its end is missing; fetch or save it again")


def _decode(content: bytes, image: Any, header: Header) -> Image:
    if header.format in _DECODED_BY_OPENCV and not _is_transparent(image):
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        if pixels is not None:
            return _turned(np.asarray(pixels, np.uint8), header)
    return _turned(pillow_to_bgr(image), header)


def _is_transparent(image: Any) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info


def _turned(pixels: Image, header: Header) -> Image:
    turn = None if header.format == "TIFF" else _TURNS.get(header.orientation)
    return turn(pixels) if turn else pixels


def pillow_to_bgr(image: Any) -> Image:
    """A PIL image as (H, W, 3) uint8 BGR, not turned; what is transparent is laid over what shows it.

    16-bit values keep their high byte.
    """
    if _is_transparent(image):
        return _over_background(np.asarray(image.convert("RGBA")))
    if image.mode.startswith("I;16"):
        grey = (np.asarray(image) >> 8).astype(np.uint8)
        return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    if image.mode in ("I", "F"):
        values = np.nan_to_num(np.asarray(image, np.float32)) / (256 if image.mode == "I" else 1)
        return cv2.cvtColor(values.clip(0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    return np.asarray(image.convert("RGB"))[:, :, ::-1]


def _over_background(pixels: NDArray[np.uint8]) -> Image:
    """Lay RGBA over white where what is visible is dark, over black where it is light."""
    background = 255 if _is_dark(pixels) else 0
    result = np.empty((*pixels.shape[:2], 3), np.uint8)
    for top in range(0, len(pixels), _ROWS):
        rows = pixels[top : top + _ROWS].astype(np.uint16)
        opacity = rows[:, :, 3:]
        mixed = (rows[:, :, 2::-1] * opacity + background * (255 - opacity) + 127) // 255
        result[top : top + _ROWS] = mixed.astype(np.uint8)
    return result


def _is_dark(pixels: NDArray[np.uint8]) -> bool:
    light = opacity = 0.0
    for top in range(0, len(pixels), _ROWS):
        rows = pixels[top : top + _ROWS].astype(np.float32)
        light += float((rows[:, :, :3].mean(axis=2) * rows[:, :, 3]).sum())
        opacity += float(rows[:, :, 3].sum())
    return light < 127.5 * opacity


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]


def through_jpeg(image: Image, quality: int) -> Image:
    """What is left of an image (H, W, 3) that was saved as JPEG of a quality in 0..100."""
    _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
