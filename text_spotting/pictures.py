"""Picture files: read whole, written whole."""

from pathlib import Path

import cv2
import numpy as np

from text_spotting.errors import UserError
from text_spotting.words import Image


def read_picture(path: Path) -> Image:
    """Read a picture as BGR, upright as its EXIF data says.

    Raises:
        UserError: it is missing or broken.
    """
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise UserError(f"cannot read picture {path}: {error.strerror or error}") from error
    picture = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    if picture is None:
        raise UserError(f"{path} is not a picture or is broken; replace it or leave it out")
    return np.asarray(picture, np.uint8)


def write_picture(path: Path, picture: Image) -> None:
    """Write a picture in the format that the file's ending names; the folder is made if need be.

    Raises:
        UserError: the place cannot be written.
    """
    _, content = cv2.imencode(path.suffix, picture)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        content.tofile(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
