"""``visualize --video``: words followed over frames, with the speed of the whole loop."""

import argparse
import sys
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from text_spotting.cli.visualize import AUTO
from text_spotting.draw import draw_words
from text_spotting.errors import UserError
from text_spotting.evaluation.predictions import prediction_records
from text_spotting.files.writing import JsonObjectWriter
from text_spotting.runtime.following import Shown, spot_each, spot_every, spot_live
from text_spotting.runtime.serve import FrameServer
from text_spotting.runtime.sinks import Sink, VideoFile, Window, has_screen
from text_spotting.runtime.sources import Video
from text_spotting.runtime.spotter import Spotter
from text_spotting.runtime.tracking import WordTracker
from text_spotting.words import Image

_FPS_FRAMES = 30
_CAUGHT_UP = 0.5
"""Seconds that a video which is late goes faster to make up for."""
_SECONDS_BETWEEN_LINES = 10.0


def run_video(args: argparse.Namespace, spotter: Spotter) -> None:
    """Play until the source ends, the viewer presses Esc, or Ctrl-C; what was written stays readable.

    Raises:
        UserError: the source cannot be opened or broke off, or a result cannot be written.
    """
    video = Video(args.video, args.reconnect)
    with ExitStack() as outputs:
        outputs.callback(video.close)
        words = outputs.enter_context(JsonObjectWriter(args.save_json)) if args.save_json else None
        sinks = _sinks(args, video.fps)
        for sink in sinks:
            outputs.callback(sink.close)
        count, ended = 0, True
        while ended:
            count, ended = _play(video, frames_with_words(args, video, spotter), sinks, words, count)
            if not args.loop:
                break
            video.close()
            video = Video(args.video, args.reconnect)
            outputs.callback(video.close)
        if ended:
            _stay(sinks)


def _stay(sinks: Sequence[Sink]) -> None:
    """Leave the page of a video that has ended to its viewers, until Ctrl-C."""
    servers = [sink for sink in sinks if isinstance(sink, FrameServer)]
    for server in servers:
        server.end()
    if servers:
        print("the video has ended; its page stays until Ctrl-C", flush=True)
        threading.Event().wait()


def _sinks(args: argparse.Namespace, fps: float) -> list[Sink]:
    sinks: list[Sink] = []
    if args.output:
        sinks.append(VideoFile(args.output, fps))
    if args.serve:
        server = FrameServer(*parse_address(args.serve), title=Path(args.video).name)
        print(f"watch at {server.url}", flush=True)
        sinks.append(server)
    if not args.no_show and has_screen():
        sinks.append(Window())
    if not sinks and not args.save_json:
        raise UserError("there is no screen to show the video on: give --output, --save-json or --serve PORT")
    return sinks


def parse_address(text: str) -> tuple[int, str]:
    """Parse ``8080`` or ``0.0.0.0:8080`` into port and host.

    Raises:
        UserError: neither.
    """
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise UserError(f"--serve {text}: expected PORT or HOST:PORT, such as 8080")
    return int(port), host or "127.0.0.1"


def frames_with_words(args: argparse.Namespace, video: Video, spotter: Spotter) -> Generator[Shown]:
    """Frames with their words, looked for as often as asked; by default as can be in what comes live."""
    if args.no_track:
        return spot_each(video, spotter.stream)
    if args.every == AUTO or (args.every is None and video.live):
        frames = video if video.live else paced(video, video.fps)
        return spot_live(frames, spotter, WordTracker())
    return spot_every(video, spotter.stream, args.every or 1, WordTracker())


def paced(frames: Iterable[Image], fps: float) -> Iterator[Image]:
    """Yield frames no sooner than they are due; what is late catches up, but for a halt of a viewer."""
    due = time.perf_counter()
    for frame in frames:
        time.sleep(max(0.0, due - time.perf_counter()))
        yield frame
        due = max(due + 1 / fps, time.perf_counter() - _CAUGHT_UP)


def _play(
    video: Video,
    stream: Generator[Shown],
    sinks: Sequence[Sink],
    saved: JsonObjectWriter | None,
    first: int,
) -> tuple[int, bool]:
    """Go through the video once, its frames numbered from ``first``; the next number, and whether it ended."""
    speed, count = Speedometer(), first
    try:
        for frame, shown in stream:
            if saved:
                saved.add(f"{video.name}_{count:06d}", prediction_records(shown))
            count += 1
            speed.tick()
            if sinks:
                drawn = _with_speed(draw_words(frame, shown), speed.fps)
                wanted = [sink.show(drawn, shown) for sink in sinks]
                if not all(wanted):
                    return count, False
        return count, True
    finally:
        stream.close()
        print(f"{count - first} frames, {speed.overall:.1f} frames/s", flush=True)


class Speedometer:
    """Frames per second of the whole loop: capture, spotting, drawing and writing."""

    def __init__(self) -> None:
        self._started = self._said = time.perf_counter()
        self._ticks: deque[float] = deque([self._started], maxlen=_FPS_FRAMES)
        self._count = 0

    def tick(self) -> None:
        """A frame is done; off a terminal, say so now and then."""
        now = time.perf_counter()
        self._ticks.append(now)
        self._count += 1
        if now - self._said > _SECONDS_BETWEEN_LINES:
            self._said = now
            print(f"{self._count} frames, {self.fps:.1f} frames/s", file=sys.stderr, flush=True)

    @property
    def fps(self) -> float:
        """Over the last frames."""
        return (len(self._ticks) - 1) / max(self._ticks[-1] - self._ticks[0], 1e-9)

    @property
    def overall(self) -> float:
        """Since the start."""
        return self._count / max(self._ticks[-1] - self._started, 1e-9)


def _with_speed(frame: Image, fps: float) -> Image:
    import cv2

    for color, thickness in (((0, 0, 0), 4), ((255, 255, 255), 1)):
        cv2.putText(frame, f"{fps:.1f} FPS", (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, color, thickness, cv2.LINE_AA)
    return frame
