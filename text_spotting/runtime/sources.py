"""Where images come from: files, folders, patterns, video files, cameras and URLs."""

import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2

from text_spotting.errors import UserError
from text_spotting.files.reading import natural_key
from text_spotting.image_files import IMAGE_SUFFIXES, is_image
from text_spotting.words import Image

LOGGER = logging.getLogger(__name__)

_DEVICE = "/dev/video"
_LONGEST_WAIT = 10.0
"""Seconds between two tries to open a live source again."""
_ENDLESS = 1e8
"""A frame count beyond this means that the source does not know."""


def find_images(what: str) -> list[Path]:
    """Return the images that a file name, a folder or a glob pattern (``**`` recurses) stands for, sorted.

    Raises:
        UserError: nothing there.
    """
    path = Path(what)
    if path.is_dir():
        found = [file for file in sorted(path.iterdir(), key=natural_key) if _looks_like_image(file)]
        if not found:
            raise UserError(f"{what}: the folder holds no image ({', '.join(IMAGE_SUFFIXES)})", about="images")
        return found
    if path.is_file():
        return [path]
    start = Path(path.anchor or ".")
    found = [file for file in sorted(start.glob(str(path.relative_to(path.anchor)))) if _looks_like_image(file)]
    if not found:
        raise UserError(f"{what}: no such file, folder or pattern with images", about="images")
    return found


def _looks_like_image(path: Path) -> bool:
    return is_image(path) and path.is_file()


class Video:
    """Frames of a camera, a video file, a numbered sequence of images, a URL or a GStreamer pipeline.

    Args:
        source: a camera's index or ``/dev/videoN``, a file, ``frame_%03d.png``, a URL, or elements joined by `` ! ``.
        reconnect: how many times in a row a live source is opened again when it stops; a frame makes them count anew.

    Attributes:
        fps: frames per second as the source declares them, or 25 where it does not.
        live: it does not end by itself: a camera, a pipeline, or a URL that does not say how many frames it has.

    Raises:
        UserError: it cannot be opened.
    """

    def __init__(self, source: str, reconnect: int = 0) -> None:
        self.source = source
        self.reconnect = reconnect
        self.kind = _kind(source)
        self._capture: Any = _open(source, self.kind)
        if self._capture is None:
            raise UserError(
                f"video {source}: the {self.kind} cannot be opened; is it there and not in use?", about="video"
            )
        declared = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = declared if 0 < declared < 1000 else 25.0
        frames = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.live = self.kind in ("camera", "pipeline") or (self.kind == "stream" and not 0 < frames < _ENDLESS)

    @property
    def name(self) -> str:
        """What frames of this source are called in files."""
        if self.kind == "camera":
            return f"camera{self.source.removeprefix(_DEVICE)}"
        return "pipeline" if self.kind == "pipeline" else Path(self.source.partition("?")[0]).stem

    def __iter__(self) -> Iterator[Image]:
        """Yield frames until the source ends.

        Raises:
            UserError: a live source stopped and did not come back, or not one frame could be read.
        """
        count = failures = 0
        while True:
            frame: Image | None = None
            if self._capture is not None:
                _, frame = self._capture.read()
            if frame is not None:
                count, failures = count + 1, 0
                yield frame
                continue
            if not self.live or failures >= self.reconnect:
                break
            failures += 1
            self._open_again(failures, count)
        if self.live:
            tried = f", and {failures} tries to reconnect failed" if failures else "; it can be told to reconnect"
            raise UserError(f"video {self.source}: stopped delivering after {count} frame(s){tried}", about="video")
        if not count:
            raise UserError(f"video {self.source}: holds no frame that can be decoded", about="video")

    def _open_again(self, attempt: int, count: int) -> None:
        wait = min(2.0 ** (attempt - 1), _LONGEST_WAIT)
        LOGGER.warning("%s stopped after %d frames; opening it again in %.0f s", self.source, count, wait)
        self.close()
        time.sleep(wait)
        self._capture = _open(self.source, self.kind)

    def close(self) -> None:
        """Give the device back."""
        if self._capture is not None:
            self._capture.release()


def _kind(source: str) -> str:
    """What a source is, in a word for messages."""
    if source.isdigit() or (source.startswith(_DEVICE) and source.removeprefix(_DEVICE).isdigit()):
        return "camera"
    if " ! " in source:
        if cv2.CAP_GSTREAMER not in cv2.videoio_registry.getBackends():
            raise UserError(f"video {source}: this OpenCV was built without GStreamer", about="video")
        return "pipeline"
    if "://" in source:
        return "stream"
    if re.search(r"%0?\d*d", source):
        return "sequence of images"
    if not Path(source).is_file():
        raise UserError(f"video {source}: no such file (a camera is given by its index, such as 0)", about="video")
    return "video"


def _open(source: str, kind: str) -> Any:
    """OpenCV's capture; None where it cannot be opened."""
    if kind == "camera":
        capture = cv2.VideoCapture(int(source.removeprefix(_DEVICE)))
    elif kind == "pipeline":
        capture = cv2.VideoCapture(source, cv2.CAP_GSTREAMER)
    elif kind == "sequence of images":
        capture = cv2.VideoCapture(source, cv2.CAP_IMAGES)
    else:
        capture = cv2.VideoCapture(source)
    if not capture.isOpened():
        return None
    if kind in ("camera", "stream"):
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture
