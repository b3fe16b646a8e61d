"""Downloads against a small server on this machine that can be told to misbehave."""

import hashlib
import threading
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
    """A file server: what it serves, whether it can resume, and after how many bytes it hangs up."""

    url: str = ""
    content: bytes = CONTENT
    resumes: bool = True
    hang_up_after: list[int] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)

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
            body = state.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: state.hang_up_after.pop(0)] if state.hang_up_after else body)

        def log_message(self, *_args: object) -> None: ...

    monkeypatch.setenv("TEXT_SPOTTING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    http_server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{http_server.server_port}/epoch_24.pth"
    thread = threading.Thread(target=http_server.serve_forever)
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
