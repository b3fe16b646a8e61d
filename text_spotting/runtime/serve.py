"""A page in the browser that shows what the spotter sees, for machines without a screen."""

import socket
import threading
from collections import OrderedDict
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2

from text_spotting.errors import UserError
from text_spotting.words import Image

_BOUNDARY = "frame"
_PATIENCE = 10.0
"""Seconds that a connection may take to say what it wants, or to take a frame."""
_CONNECTIONS = 64
"""At most so many at once; the one that has been open longest makes room for a newcomer."""
_PAGE = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Text spotting</title>
<style>body{margin:0;background:#111;display:grid;place-items:center;min-height:100vh}img{max-width:100%;max-height:100vh}
</style></head><body><img id="stream" src="/stream.mjpg" alt="words found in the video"></body></html>
"""


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
    """Serves the latest frame as a page (``/``), an MJPEG stream (``/stream.mjpg``) and a picture (``/frame.jpg``).

    Slow viewers miss frames; they never hold up the others or the spotter.

    Args:
        port: 0 lets the system choose.
        host: only this machine may look by default.

    Raises:
        UserError: the port is taken or not allowed.
    """

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._fresh = threading.Condition()
        self._jpeg = b""
        self._number = 0
        self._closed = False
        try:
            self._server = _Server((host, port), _handler(self))
        except (OSError, OverflowError) as error:
            raise UserError(f"--serve {port}: cannot listen on {host}:{port} ({error}); choose another port") from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="frame-server", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where to point a browser."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/"

    def show(self, frame: Image) -> bool:
        """Make ``frame`` the latest one."""
        _, jpeg = cv2.imencode(".jpg", frame)
        with self._fresh:
            self._jpeg = jpeg.tobytes()
            self._number += 1
            self._fresh.notify_all()
        return True

    def newer_than(self, number: int) -> tuple[int, bytes] | None:
        """Wait for a frame after ``number`` and return it with its own; None once the server closes."""
        with self._fresh:
            self._fresh.wait_for(lambda: self._closed or self._number > number)
            return None if self._closed else (self._number, self._jpeg)

    def close(self) -> None:
        """Stop serving and let viewers go."""
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
                self._send("text/html; charset=utf-8", _PAGE)
            elif self.path == "/frame.jpg":
                self._send_frame()
            elif self.path == "/stream.mjpg":
                self._stream()
            else:
                self.send_error(404)

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
