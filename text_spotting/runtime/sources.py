"""Where pictures come from: files, folders, patterns, video files, cameras and URLs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2

from text_spotting.errors import UserError
from text_spotting.words import Image

PICTURE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def find_pictures(what: str) -> list[Path]:
    """Return the pictures that a file name, a folder or a glob pattern (``**`` recurses) stands for, sorted.

    Raises:
        UserError: nothing there.
    """
    path = Path(what)
    if path.is_dir():
        found = [file for file in sorted(path.iterdir()) if _looks_like_picture(file)]
        if not found:
            raise UserError(f"--images {what}: the folder holds no picture ({', '.join(PICTURE_SUFFIXES)})")
        return found
    if path.is_file():
        return [path]
    start = Path(path.anchor or ".")
    found = [file for file in sorted(start.glob(str(path.relative_to(path.anchor)))) if _looks_like_picture(file)]
    if not found:
        raise UserError(f"--images {what}: no such file, folder or pattern with pictures")
    return found


def _looks_like_picture(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in PICTURE_SUFFIXES


class Video:
    """Frames of a camera (by its index), a video file, or a URL.

    Attributes:
        fps: frames per second as the source declares them, or 25 where it does not.
        live: a camera or URL rather than a file: it does not end by itself.

    Raises:
        UserError: it cannot be opened.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.live = source.isdigit() or "://" in source
        if not self.live and not Path(source).is_file():
            raise UserError(f"--video {source}: no such file (a camera is given by its index, such as 0)")
        self._capture: Any = cv2.VideoCapture(int(source) if source.isdigit() else source)
        if not self._capture.isOpened():
            kind = "camera" if source.isdigit() else "stream" if self.live else "video"
            raise UserError(f"--video {source}: the {kind} cannot be opened; is it there and not in use?")
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        declared = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = declared if 0 < declared < 1000 else 25.0

    @property
    def name(self) -> str:
        """What frames of this source are called in files."""
        return f"camera{self.source}" if self.source.isdigit() else Path(self.source).stem

    def __iter__(self) -> Iterator[Image]:
        """Yield frames until the source ends.

        Raises:
            UserError: a live source stopped, or not one frame could be read.
        """
        count = 0
        while True:
            there, frame = self._capture.read()
            if not there:
                break
            count += 1
            yield frame
        if self.live:
            raise UserError(f"--video {self.source}: stopped delivering after {count} frame(s)")
        if not count:
            raise UserError(f"--video {self.source}: holds no frame that can be decoded")

    def close(self) -> None:
        """Give the device back."""
        self._capture.release()
