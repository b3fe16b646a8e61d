"""A page in the browser that shows what the spotter sees, for machines without a screen."""

import json
import socket
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2

from text_spotting.errors import UserError
from text_spotting.result.lines import in_reading_order
from text_spotting.words import Image, Word

_BOUNDARY = "frame"
_PATIENCE = 10.0
"""Seconds that a connection may take to say what it wants, or to take a frame."""
_CONNECTIONS = 64
"""At most so many at once; the one that has been open longest makes room for a newcomer."""
_TIMED_FRAMES = 30
_POLL_SECONDS = 0.05
"""Between looks at whether to end."""
_PAGE = Path(__file__).with_name("serve_page.html")


class _Server(ThreadingHTTPServer):
    """Keeps a place free for newcomers, whatever the others do with theirs."""

    daemon_threads = True

    def __init__(self, *args: Any) -> None:
        self._open: OrderedDict[int, socket.socket] = OrderedDict()
        self._guard = threading.Lock()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            if len(self._open) >= _CONNECTIONS:
                _, oldest = self._open.popitem(last=False)
                with suppress(OSError):
                    oldest.shutdown(socket.SHUT_RDWR)  # its thread notices and closes it
            self._open[id(request)] = request
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.pop(id(request), None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Viewers come and go; that is no error."""


class FrameServer:
    """Serves the latest frame as a page (``/``), an MJPEG stream (``/stream.mjpg``) and an image (``/frame.jpg``).

    ``/state.json`` tells the words of the latest frame; ``POST /pause`` halts the video and lets it go on. Slow viewers
    miss frames; they never hold up the others or the spotter.

    Args:
        port: 0 lets the system choose.
        host: only this machine may look by default.
        title: what is shown.

    Raises:
        UserError: the port is taken or not allowed.
    """

    def __init__(self, port: int, host: str = "127.0.0.1", title: str = "Text spotting") -> None:
        self._fresh = threading.Condition()
        self._jpeg = b""
        self._number = 0
        self._closed = False
        self._title = title
        self._words: Sequence[Word] = ()
        self._times: deque[float] = deque(maxlen=_TIMED_FRAMES)
        self._ended = False
        self._running = threading.Event()
        self._running.set()
        try:
            self._server = _Server((host, port), _handler(self))
        except (OSError, OverflowError) as error:
            message = f"cannot listen on {host}:{port} ({error}); choose another port"
            raise UserError(message, about="serve") from error
        serve = partial(self._server.serve_forever, poll_interval=_POLL_SECONDS)
        self._thread = threading.Thread(target=serve, name="frame-server", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where to point a browser."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/"

    def show(self, frame: Image, words: Sequence[Word] = ()) -> bool:
        """Make ``frame`` the latest one, with the words found in it; waits while viewers have halted the video."""
        _, jpeg = cv2.imencode(".jpg", frame)
        with self._fresh:
            self._jpeg = jpeg.tobytes()
            self._words = words
            self._number += 1
            self._times.append(time.monotonic())
            self._fresh.notify_all()
        self._running.wait()
        return True

    def pause(self) -> None:
        """Halt the video, or let it go on."""
        if self._running.is_set():
            self._running.clear()
        else:
            self._running.set()

    def end(self) -> None:
        """Say that no more frames come; the last one stays."""
        self._ended = True
        self._running.set()

    def state(self) -> dict[str, Any]:
        """What the page shows beside the image."""
        status = "ended" if self._ended else "playing" if self._running.is_set() else "paused"
        with self._fresh:
            times = list(self._times)
            return {
                "title": self._title,
                "status": status if self._number else "waiting",
                "frames": self._number,
                "fps": round((len(times) - 1) / max(times[-1] - times[0], 1e-3), 1) if len(times) > 1 else 0.0,
                "words": [word.to_dict() for word in in_reading_order(self._words) if word.text],
            }

    def newer_than(self, number: int) -> tuple[int, bytes] | None:
        """Wait for a frame after ``number`` and return it with its own; None once the server closes."""
        with self._fresh:
            self._fresh.wait_for(lambda: self._closed or self._number > number)
            return None if self._closed else (self._number, self._jpeg)

    def close(self) -> None:
        """Stop serving and let viewers go."""
        self._running.set()
        with self._fresh:
            self._closed = True
            self._fresh.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(frames: FrameServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE

        def do_GET(self) -> None:
            if self.path == "/":
                self._send("text/html; charset=utf-8", _PAGE.read_bytes())
            elif self.path == "/state.json":
                self._send("application/json", json.dumps(frames.state()).encode())
            elif self.path == "/frame.jpg":
                self._send_frame()
            elif self.path == "/stream.mjpg":
                self._stream()
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            own = f"http://{self.headers.get('Host')}"
            if self.path != "/pause" or self.headers.get("Origin", own) != own:  # other sites' pages do not pause us
                self.send_error(404)
                return
            frames.pause()
            self._send("application/json", json.dumps(frames.state()).encode())

        def _send(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def _send_frame(self) -> None:
            latest = frames.newer_than(0)
            if latest:
                self._send("image/jpeg", latest[1])

        def _stream(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            number = 0
            try:
                while latest := frames.newer_than(number):
                    number, jpeg = latest
                    head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
            except OSError:
                return  # the viewer left, or takes nothing any more

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler
