"""Where annotated frames go: a window, a video file, a browser."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2

from text_spotting.errors import UserError
from text_spotting.words import Image, Word

CODECS = {".avi": "MJPG", ".mkv": "mp4v", ".mp4": "mp4v"}
_ESCAPE = 27


class Sink(Protocol):
    """Takes frames one by one."""

    def show(self, frame: Image, words: Sequence[Word] = ()) -> bool:
        """Take a frame and the words in it; False when whoever looks has had enough."""

    def close(self) -> None:
        """Finish; what was taken stays readable."""


class VideoFile:
    """A video file, begun with the first frame.

    Raises:
        UserError: an unknown ending, or the file cannot be written.
    """

    def __init__(self, path: Path, fps: float) -> None:
        if path.suffix.lower() not in CODECS:
            raise UserError(f"{path}: a video must end in {', '.join(CODECS)}", about="output")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{path}: cannot write there ({error.strerror})", about="output") from error
        self.path = path
        self.fps = fps
        self._shape = (0, 0)
        self._writer: Any = None

    def show(self, frame: Image, words: Sequence[Word] = ()) -> bool:
        if self._writer is None:
            codec = cv2.VideoWriter.fourcc(*CODECS[self.path.suffix.lower()])
            self._writer = cv2.VideoWriter(str(self.path), codec, self.fps, (frame.shape[1], frame.shape[0]))
            if not self._writer.isOpened():
                raise UserError(f"{self.path}: cannot be written", about="output")
            self._shape = frame.shape[0], frame.shape[1]
        # OpenCV passes over frames of another size, which a camera that was opened again may send.
        height, width = self._shape
        self._writer.write(frame if frame.shape[:2] == self._shape else cv2.resize(frame, (width, height)))
        return True

    def close(self) -> None:
        if self._writer is not None:
            self._writer.release()


class Window:
    """A window on this machine's screen; Esc or q ends the show.

    Args:
        wait: milliseconds to wait for a key with every frame; 0 waits until one is pressed.
    """

    NAME = "text spotting"

    def __init__(self, wait: int = 1) -> None:
        self.wait = wait

    def show(self, frame: Image, words: Sequence[Word] = ()) -> bool:
        cv2.imshow(self.NAME, frame)
        return cv2.waitKey(self.wait) & 0xFF not in (_ESCAPE, ord("q"))

    def close(self) -> None:
        cv2.destroyAllWindows()


def has_screen() -> bool:
    """Whether a window can be opened: OpenCV was built with windows, and there is a display to put them on."""
    display = sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not display:
        return False
    try:
        cv2.namedWindow(Window.NAME, cv2.WINDOW_NORMAL)
    except cv2.error:  # the headless build of OpenCV
        return False
    return True
