"""Downloads against a small server on this machine that can be told to misbehave."""

import contextlib
import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from text_spotting.errors import UserError
from text_spotting.workdir import download
from text_spotting.workdir.template import Dependency

CONTENT = bytes(range(256)) * 4096  # one MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Server:
    """A file server and its faults.

    Attributes:
        hang_up_after: bytes after which it hangs up, for each request.
        length: what it says about the length instead of the truth; None to say nothing.
        trickles: bytes that it sends every tenth of a second; 0 for all at once.
        never_ends: goes on sending after the file.
        wrong_ranges: answers every request for a part with 416.
    """

    url: str = ""
    content: bytes = CONTENT
    resumes: bool = True
    hang_up_after: list[int] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)
    length: str | None = "true"
    trickles: int = 0
    never_ends: bool = False
    wrong_ranges: bool = False
    sent: int = 0

    def dependency(self) -> Dependency:
        return Dependency(source=self.url, destination="snapshot.pth", sha256=SHA256, size=len(CONTENT))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and state.resumes else 0
            if wanted and state.wrong_ranges:
                self.send_error(416)
                return
            body = state.content[start:]
            self.send_response(206 if start else 200)
            if state.length:
                self.send_header("Content-Length", str(len(body)) if state.length == "true" else state.length)
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self._send(body[: state.hang_up_after.pop(0)] if state.hang_up_after else body)

        def _send(self, body: bytes) -> None:
            if not state.trickles:
                self.wfile.write(body)
            for start in range(0, len(body) if state.trickles else 0, state.trickles or 1):
                self.wfile.write(body[start : start + state.trickles])
                real_sleep(0.1)
            while state.never_ends:
                state.sent += self.wfile.write(bytes(1 << 16))

        def log_message(self, *_args: object) -> None: ...

    monkeypatch.setenv("TEXT_SPOTTING_CACHE", str(tmp_path / "cache"))
    real_sleep = time.sleep
    monkeypatch.setattr("text_spotting.workdir.download.time.sleep", lambda _seconds: None)
    http_server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{http_server.server_port}/epoch_24.pth"
    thread = threading.Thread(target=http_server.serve_forever, args=(0.02,))
    thread.start()
    yield state
    http_server.shutdown()
    thread.join()
    http_server.server_close()


def _parts() -> list[Path]:
    return list(download.cache_dir().glob("*.part"))


def test_a_good_file_is_fetched_once_and_then_taken_from_the_cache(server: Server) -> None:
    assert download.fetch(server.dependency()).read_bytes() == CONTENT
    assert download.fetch(server.dependency()).read_bytes() == CONTENT
    assert server.ranges == [None]
    assert not _parts()


def test_a_broken_connection_is_taken_up_where_it_ended(server: Server) -> None:
    server.hang_up_after = [300_000]
    assert download.fetch(server.dependency()).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=300000-"]


def test_a_later_run_goes_on_from_what_an_earlier_one_left(server: Server) -> None:
    server.hang_up_after = [100_000, 0, 0]
    with pytest.raises(UserError, match=r"100,000 of 1,048,576 bytes are here"):
        download.fetch(server.dependency())
    assert [part.stat().st_size for part in _parts()] == [100_000]
    assert download.fetch(server.dependency()).read_bytes() == CONTENT
    assert server.ranges[-1] == "bytes=100000-"


def test_a_server_that_cannot_resume_sends_all_again(server: Server) -> None:
    server.resumes = False
    server.hang_up_after = [1000]
    assert download.fetch(server.dependency()).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=1000-"]


def test_a_file_with_the_right_size_but_another_hash_is_thrown_away(server: Server) -> None:
    server.content = CONTENT[::-1]
    with pytest.raises(UserError, match="sha256"):
        download.fetch(server.dependency())
    assert list(download.cache_dir().iterdir()) == []


def test_a_file_of_another_size_is_refused_before_it_is_fetched(server: Server) -> None:
    server.content = CONTENT * 2
    with pytest.raises(UserError, match=r"offers 2,097,152 bytes"):
        download.fetch(server.dependency())


def test_a_damaged_cached_file_is_fetched_again(server: Server) -> None:
    download.fetch(server.dependency()).write_bytes(b"damaged")
    assert download.fetch(server.dependency()).read_bytes() == CONTENT
    assert len(server.ranges) == 2


def test_nobody_listening_is_one_clear_line(server: Server) -> None:
    closed = server.dependency().model_copy(update={"source": "http://127.0.0.1:9/epoch_24.pth"})
    with pytest.raises(UserError, match=r"cannot download http://127.0.0.1:9/epoch_24.pth: .*refused"):
        download.fetch(closed)


def test_a_body_without_length_that_never_ends_is_cut_at_the_size_of_the_template(server: Server) -> None:
    server.length, server.never_ends = None, True
    with pytest.raises(UserError, match=r"sends more than the 1,048,576 bytes"):
        download.fetch(server.dependency())
    assert not _parts()


def test_a_body_without_length_of_the_right_size_is_taken(server: Server) -> None:
    server.length = None
    assert download.fetch(server.dependency()).read_bytes() == CONTENT


def test_a_length_that_is_no_number_is_one_clear_line(server: Server) -> None:
    server.length = "abc"
    with pytest.raises(UserError, match=r"Content-Length is 'abc', not a number"):
        download.fetch(server.dependency())


def test_a_body_that_trickles_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "WINDOW", 0.5)
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    server.trickles = 10
    with pytest.raises(UserError, match="too slow"):
        download.fetch(server.dependency())


def test_a_part_that_the_server_cannot_go_on_with_is_begun_anew(server: Server) -> None:
    server.hang_up_after = [1000]
    server.wrong_ranges = True
    assert download.fetch(server.dependency()).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=1000-", None]


@pytest.mark.slow
def test_four_processes_at_once_fetch_once(server: Server) -> None:
    code = (
        "from text_spotting.workdir import download; from text_spotting.workdir.template import Dependency\n"
        f"print(download.fetch(Dependency(source='{server.url}', destination='s', sha256='{SHA256}', "
        f"size={len(CONTENT)})).stat().st_size)"
    )
    server.trickles = 1 << 18
    four = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        for _ in range(4)
    ]
    assert [one.communicate()[0] for one in four] == [f"{len(CONTENT)}\n"] * 4
    assert server.ranges == [None]
    assert [path.name for path in download.cache_dir().iterdir()] == [SHA256]
