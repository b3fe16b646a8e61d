"""A page in the browser that shows what the spotter sees, for machines without a screen."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2

from text_spotting.errors import UserError
from text_spotting.words import Image

_BOUNDARY = "frame"
_PAGE = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Text spotting</title>
<style>body{margin:0;background:#111;display:grid;place-items:center;min-height:100vh}img{max-width:100%;max-height:100vh}
</style></head><body><img id="stream" src="/stream.mjpg" alt="words found in the video"></body></html>
"""


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
            self._server = ThreadingHTTPServer((host, port), _handler(self))
        except (OSError, OverflowError) as error:
            raise UserError(f"--serve {port}: cannot listen on {host}:{port} ({error}); choose another port") from error
        self._server.daemon_threads = True
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
            except ConnectionError:
                return  # the viewer left

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler
