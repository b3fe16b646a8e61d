"""The tool draws, saves and serves what an exported model finds."""

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from io import FileIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from sample_graphs import save_ir

from text_spotting.annotations.dataset_file import read_dataset
from text_spotting.cli.main import run_tool
from text_spotting.cli.visualize import add_arguments as visualize_flags
from text_spotting.cli.visualize_video import frames_with_words, paced
from text_spotting.errors import UserError
from text_spotting.geometry import box_to_polygon
from text_spotting.runtime.serve import FrameServer
from text_spotting.runtime.sources import Video, find_images
from text_spotting.words import Image, Word

ROOT = Path(__file__).parents[1]
BLUE = np.zeros((40, 80, 3), np.uint8)
BLUE[..., 0] = 255


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_ir(tmp_path_factory.mktemp("model")).with_suffix(".bin")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    cv2.imwrite(str(folder / "one.png"), BLUE)
    cv2.imwrite(str(folder / "two.jpg"), BLUE)
    return folder


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (80, 40))
    for _ in range(7):
        writer.write(BLUE)
    writer.release()
    return path


def visualize(model: Path, *arguments: object) -> int:
    return run_tool("visualize", ["--load-weights", str(model), "--no-show", *map(str, arguments)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limit", "read"), [(("--allow", "a"), "a"), (("--lexicon", "AB!\nxyz"), "AB!")], ids=["characters", "words"]
)
@pytest.mark.parametrize("source", ["--images", "--video"])
def test_what_is_read_can_be_limited(
    source: str, limit: tuple[str, str], read: str, model: Path, photos: Path, clip: Path, tmp_path: Path
) -> None:
    flag, value = limit
    if flag == "--lexicon":
        (tmp_path / "words.txt").write_text(value)
        value = str(tmp_path / "words.txt")
    words = tmp_path / "words.json"
    assert visualize(model, source, clip if source == "--video" else photos, flag, value, "--save-json", words) == 0
    assert {found[0]["text"] for found in json.loads(words.read_text()).values()} == {read}


@pytest.mark.parametrize(
    ("flags", "message"),
    [(("--allow", "äö"), "the model cannot read ä ö"), (("--lexicon", "none.txt"), "none.txt does not exist")],
)
def test_limits_that_cannot_be_met_are_refused(
    flags: tuple[str, str], message: str, model: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert visualize(model, "--images", photos, *flags) == 2
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_images_are_drawn_and_their_words_saved(model: Path, photos: Path, tmp_path: Path) -> None:
    out, words = tmp_path / "out", tmp_path / "words.json"
    assert visualize(model, "--images", photos, "--output", out, "--save-json", words) == 0
    assert sorted(path.name for path in out.iterdir()) == ["one.png", "two.jpg"]
    assert not np.array_equal(cv2.imread(str(out / "one.png")), BLUE), "something is drawn"  # type: ignore[arg-type]
    found = json.loads(words.read_text())
    assert sorted(found) == ["one", "two"]
    assert [word["text"] for word in found["one"]] == ["ab", ""]
    corners = np.array(found["one"][0]["polygon"])
    assert np.allclose([corners.min(0), corners.max(0)], [[0, 0], [40, 20]], atol=1e-3), "pixels of the image"


def test_annotations_can_be_read_back_for_correction(model: Path, photos: Path, tmp_path: Path) -> None:
    file = photos / "annotation.json"
    assert visualize(model, "--images", photos / "*.png", "--save-annotations", file) == 0
    (image,) = read_dataset(file, photos)
    assert image.path == photos / "one.png"
    assert [word.text for word in image.words] == ["ab", ""]


def test_a_broken_image_does_not_cost_the_others(
    model: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "torn.jpg").write_bytes(b"not an image")
    words = tmp_path / "words.json"
    assert visualize(model, "--images", photos, "--save-json", words) == 1
    assert sorted(json.loads(words.read_text())) == ["one", "two"]
    assert re.search(r"1 of 3 images could not be read: .*torn.jpg", capsys.readouterr().err)


def test_a_video_is_drawn_frame_by_frame(
    model: Path, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, words = tmp_path / "new folder" / "out.avi", tmp_path / "words.json"
    assert visualize(model, "--video", clip, "--output", out, "--save-json", words) == 0
    assert len(list(Video(str(out)))) == 7
    found = json.loads(words.read_text())
    assert list(found) == [f"clip_{index:06d}" for index in range(7)]
    assert re.search(r"7 frames, [\d.]+ frames/s", capsys.readouterr().out)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--images", "nowhere/*.jpg"], "no such file, folder or pattern"),
        (["--video", "nowhere.mp4"], "--video nowhere.mp4: no such file"),
        (["--video", "97"], "--video 97: the camera cannot be opened"),
        (["--video", "{clip}"], "give --output, --save-json or --serve"),
        (["--video", "{clip}", "--output", "out.gif"], "a video must end in .avi, .mkv, .mp4"),
        (["--video", "{clip}", "--serve", "http"], "--serve http: expected PORT or HOST:PORT"),
        (["--video", "{clip}", "--save-annotations", "a.json"], "--save-annotations needs --images"),
        (["--images", "{clip}", "--save-json", "/proc/none/a.json"], "--save-json: cannot write"),
        (["--images", "{clip}", "--every", "2"], "--every needs --video"),
        (["--video", "{clip}", "--every", "2", "--no-track"], "--no-track looks for words in every frame"),
    ],
    ids=[
        "no images",
        "no video",
        "no camera",
        "nowhere to show",
        "unknown video format",
        "no port",
        "annotations of a video",
        "unwritable output",
        "images that are passed over",
        "frames that are followed without tracks",
    ],
)
def test_bad_input_ends_with_one_clear_line(
    model: Path, clip: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert visualize(model, *(argument.format(clip=clip) for argument in arguments)) == 2
    (line,) = [line for line in capfd.readouterr().err.splitlines() if line.startswith("error: ")]
    assert complaint in line


def test_an_empty_folder_and_a_file_that_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no image"):
        find_images(str(tmp_path))
    (tmp_path / "clip.mp4").write_bytes(b"nothing")
    with pytest.raises(UserError, match="the video cannot be opened"):
        Video(str(tmp_path / "clip.mp4"))


@pytest.fixture
def server() -> Iterator[FrameServer]:
    frames = FrameServer(0)
    yield frames
    frames.close()


def fetch(url: str) -> tuple[str, bytes]:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.headers["Content-Type"], answer.read()


def test_the_page_shows_the_stream(server: FrameServer) -> None:
    kind, page = fetch(server.url)
    assert kind.startswith("text/html")
    assert b'src="/stream.mjpg"' in page


def test_the_state_tells_words_in_reading_order_and_what_the_video_does(server: FrameServer) -> None:
    def state() -> Any:
        return json.loads(fetch(server.url + "state.json")[1])

    assert state() == {"title": "Text spotting", "status": "waiting", "frames": 0, "fps": 0.0, "words": []}
    words = [Word(box_to_polygon(box), text, 0.5) for box, text in (((50, 0, 80, 9), "two"), ((0, 0, 30, 9), "one"))]
    server.show(BLUE, [*words, Word(box_to_polygon((0, 20, 9, 29)))])
    assert [word["text"] for word in state()["words"]] == ["one", "two"]
    assert (state()["status"], state()["frames"]) == ("playing", 1)
    server.end()
    assert state()["status"] == "ended"
    assert fetch(server.url + "frame.jpg")[0] == "image/jpeg", "the last frame stays"


def post(url: str, **headers: str) -> Any:
    request = urllib.request.Request(url, b"", headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.loads(answer.read())


def test_viewers_halt_the_video_and_let_it_go_on(server: FrameServer) -> None:
    server.show(BLUE)
    assert post(server.url + "pause")["status"] == "paused"
    player = threading.Thread(target=server.show, args=(BLUE,), daemon=True)
    player.start()
    player.join(timeout=0.2)
    assert player.is_alive(), "the player waits"
    assert post(server.url + "pause")["status"] == "playing"
    player.join(timeout=5)
    assert not player.is_alive()


def test_pages_of_other_sites_halt_nothing(server: FrameServer) -> None:
    server.show(BLUE)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        post(server.url + "pause", Origin="http://elsewhere.example")
    assert server.state()["status"] == "playing"


@pytest.mark.slow
@pytest.mark.parametrize("loop", [False, True], ids=["once", "again and again"])
def test_a_video_file_that_ends_keeps_its_page_or_begins_anew(model: Path, clip: Path, loop: bool) -> None:
    flags = ["--video", str(clip), "--no-show", "--serve", "0", *(["--loop"] if loop else [])]
    command = [sys.executable, "-m", "text_spotting", "visualize", "--load-weights", str(model), *flags]
    heeding = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # ignored where a shell began it with an &
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, preexec_fn=heeding)  # noqa: PLW1509
    try:
        url = process.stdout.readline().split()[-1]  # type: ignore[union-attr]
        wanted: Callable[[Any], bool] = (
            (lambda state: state["frames"] > 20) if loop else (lambda state: state["status"] == "ended")
        )
        seen: list[Any] = []
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (seen and wanted(seen[-1])):
            seen.append(json.loads(fetch(url + "state.json")[1]))
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
    finally:
        process.kill()
        process.communicate()
    assert wanted(seen[-1])
    assert seen[-1]["title"] == clip.name


def test_the_latest_frame_can_be_fetched(server: FrameServer) -> None:
    server.show(BLUE)
    server.show(BLUE[..., ::-1])
    kind, jpeg = fetch(server.url + "frame.jpg")
    assert kind == "image/jpeg"
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image[20, 40, 2] > 250, "red, the second frame"  # type: ignore[index]


def test_the_stream_sends_every_viewer_new_frames(server: FrameServer) -> None:
    with urllib.request.urlopen(server.url + "stream.mjpg", timeout=5) as answer:
        parts = b""
        for count in (1, 2):
            server.show(BLUE)
            while parts.count(b"--frame") < count:
                parts += answer.read1()
    assert answer.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=frame"


def test_closing_lets_a_waiting_viewer_go() -> None:
    frames = FrameServer(0)
    viewer = threading.Thread(target=frames.newer_than, args=(0,))
    viewer.start()
    frames.close()
    viewer.join(timeout=5)
    assert not viewer.is_alive()


def test_a_port_that_is_taken(server: FrameServer) -> None:
    port = int(server.url.rsplit(":", 1)[1].strip("/"))
    with pytest.raises(UserError, match=f"cannot listen on .*:{port} "):
        FrameServer(port)


@pytest.mark.slow
def test_a_video_stopped_by_sigterm_can_be_opened_and_its_words_are_saved(model: Path, tmp_path: Path) -> None:
    clip, out, words = tmp_path / "long.avi", tmp_path / "out.mp4", tmp_path / "words.json"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"MJPG"), 10, (80, 40))
    for _ in range(20000):
        writer.write(BLUE)
    writer.release()
    tool = [sys.executable, str(ROOT / "tools" / "visualize.py"), "--load-weights", str(model), "--no-show"]
    tool += ["--video", str(clip), "--output", str(out), "--save-json", str(words)]
    running = subprocess.Popen(tool, stderr=subprocess.PIPE, text=True, env=dict(os.environ, PYTHONPATH=str(ROOT)))
    while not out.exists() and running.poll() is None:
        time.sleep(0.05)
    time.sleep(0.3)
    running.send_signal(signal.SIGTERM)
    assert running.communicate(timeout=120)[1].endswith("terminated\n")
    assert running.returncode == 143
    video = cv2.VideoCapture(str(out))
    assert 0 < video.get(cv2.CAP_PROP_FRAME_COUNT) < 20000
    assert video.read()[0]
    assert abs(len(json.loads(words.read_text())) - video.get(cv2.CAP_PROP_FRAME_COUNT)) <= 1


@pytest.mark.slow
def test_idle_connections_do_not_keep_newcomers_out(server: FrameServer) -> None:
    server.show(BLUE)
    host, port = server.url.removeprefix("http://").rstrip("/").split(":")
    idle = [socket.create_connection((host, int(port))) for _ in range(200)]
    assert fetch(server.url + "frame.jpg")[1][:2] == b"\xff\xd8"
    assert threading.active_count() < 100
    for connection in idle:
        connection.close()


def test_a_connection_that_asks_for_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("text_spotting.runtime.serve._PATIENCE", 0.2)
    waiting = FrameServer(0)
    host, port = waiting.url.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        assert connection.recv(1) == b"", "the other side has hung up"
    waiting.close()


@pytest.fixture
def web(tmp_path: Path, clip: Path) -> Iterator[str]:
    """A web server for the folder of the clip."""
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            return

    served = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=served.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{served.server_address[1]}"
    served.shutdown()
    served.server_close()


def test_a_clip_by_url_ends_as_a_file_does(web: str) -> None:
    video = Video(f"{web}/clip.avi")
    assert not video.live and video.name == "clip"
    assert len(list(video)) == 7


def test_numbered_images_are_a_video(tmp_path: Path) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"frame_{number:03d}.png"), BLUE)
    assert len(list(Video(str(tmp_path / "frame_%03d.png")))) == 3
    with pytest.raises(UserError, match="the sequence of images cannot be opened"):
        Video(str(tmp_path / "none_%03d.png"))


def test_a_pipeline_needs_an_opencv_that_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2.videoio_registry, "getBackends", list)
    with pytest.raises(UserError, match="built without GStreamer"):
        Video("videotestsrc ! appsink")


class Camera:
    """Delivers so many frames, then none."""

    def __init__(self, frames: int | None) -> None:
        self.frames = frames

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.frames is not None

    def read(self) -> tuple[bool, Image | None]:
        self.frames -= 1  # type: ignore[operator]
        return (True, BLUE) if self.frames >= 0 else (False, None)

    def get(self, _: int) -> float:
        return 0.0

    def set(self, *_: object) -> bool:
        return True

    def release(self) -> None:
        return


@pytest.mark.parametrize(
    ("deliveries", "tries", "frames", "waits"),
    [
        ([2], 0, 2, []),
        ([2, 3, None, None], 2, 5, [1, 1, 2]),  # back once, then gone for good
        ([2, None, 1, None, None], 2, 3, [1, 2, 1, 2]),  # a frame makes the tries count anew
    ],
)
def test_a_live_source_is_opened_again(
    monkeypatch: pytest.MonkeyPatch, deliveries: list[int | None], tries: int, frames: int, waits: list[int]
) -> None:
    waited: list[float] = []
    cameras = iter([*deliveries, None, None])
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: Camera(next(cameras)))
    monkeypatch.setattr("time.sleep", waited.append)
    video, seen = Video("/dev/video0", reconnect=tries), []
    assert video.live and video.name == "camera0"
    with pytest.raises(UserError, match=f"stopped delivering after {frames} frame"):
        seen.extend(frame for frame in video if seen.append(frame) is None and False)  # type: ignore[func-returns-value]
    assert (len(seen), waited) == (frames, waits)


@pytest.mark.slow
def test_a_run_that_is_told_to_stop_finishes_its_files(model: Path, tmp_path: Path) -> None:
    """SIGTERM in the middle of a clip: the video and the words of the frames so far are whole."""
    import signal
    import subprocess
    import sys
    import time
    from pathlib import Path

    writer = cv2.VideoWriter(str(tmp_path / "long.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (80, 40))
    for _ in range(20_000):
        writer.write(BLUE)
    writer.release()
    out, words = tmp_path / "out.avi", tmp_path / "words.json"
    tool = Path(__file__).parents[1] / "tools" / "visualize.py"
    flags = ["--load-weights", model, "--video", tmp_path / "long.avi", "--output", out, "--save-json", words]
    run = subprocess.Popen([sys.executable, str(tool), "--no-show", *map(str, flags)], stderr=subprocess.PIPE)
    part = tmp_path / "words.json.part"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (part.exists() and part.stat().st_size > 2000):
        time.sleep(0.05)
    run.send_signal(signal.SIGTERM)
    _, err = run.communicate(timeout=60)
    assert (run.returncode, err.decode().strip().splitlines()[-1]) == (143, "terminated")
    frames = json.loads(words.read_text())
    assert len(frames) > 3 and not part.exists()
    assert abs(len(list(Video(str(out)))) - len(frames)) <= 1


def test_the_least_score_can_be_chosen_at_run_time(model: Path, photos: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.json"
    found = {}
    for score in ("0", "0.99"):
        assert visualize(model, "--images", photos / "one.png", "--save-json", words, "--score", score) == 0
        found[score] = len(json.loads(words.read_text())["one"])
    assert found["0"] > found["0.99"]
    assert visualize(model, "--images", photos, "--score", "2") == 2


def test_images_that_differ_in_their_ending_are_both_drawn(model: Path, tmp_path: Path) -> None:
    for name in ("shop.jpg", "shop.png", "other.jpg", "._shop.jpg"):
        cv2.imwrite(str(tmp_path / name), BLUE)
    words = tmp_path / "words.json"
    assert visualize(model, "--images", tmp_path, "--save-json", words, "--output", tmp_path / "out") == 0
    assert sorted(json.loads(words.read_text())) == ["other", "shop.jpg", "shop.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["other.jpg", "shop.jpg", "shop.png"]


def test_a_full_disk_keeps_the_results_that_fitted(tmp_path: Path) -> None:
    from text_spotting.files.writing import JsonObjectWriter

    class Full:
        """A file on a disk with room for 40 bytes."""

        def __init__(self, file: FileIO) -> None:
            self.file = file

        def write(self, data: bytes) -> int:
            if self.file.tell() + len(data) > 40:
                raise OSError(28, "No space left on device")
            return self.file.write(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

    with pytest.raises(UserError, match="No space left on device; it holds the 2 results before"):  # noqa: SIM117
        with JsonObjectWriter(tmp_path / "w.json") as results:
            results._file = Full(results._file)  # type: ignore[assignment]
            for number in range(9):
                results.add(f"image{number}", [])
    assert json.loads((tmp_path / "w.json").read_text()) == {"image0": [], "image1": []}


@pytest.mark.parametrize("every", ["3", "auto"])
def test_frames_that_are_not_looked_at_are_drawn_and_saved_too(
    model: Path, clip: Path, tmp_path: Path, every: str
) -> None:
    out, words = tmp_path / "out.avi", tmp_path / "words.json"
    assert visualize(model, "--video", clip, "--every", every, "--output", out, "--save-json", words) == 0
    assert len(list(Video(str(out)))) == 7
    found = json.loads(words.read_text())
    assert list(found) == [f"clip_{index:06d}" for index in range(7)]
    if every == "3":
        assert [[word["text"] for word in frame] for frame in found.values()] == [["ab", ""]] * 7


@pytest.mark.parametrize(
    ("live", "flags", "way"),
    [
        (True, [], "spot_live"),
        (True, ["--every", "1"], "spot_every"),
        (True, ["--no-track"], "spot_each"),
        (False, [], "spot_every"),
        (False, ["--every", "auto"], "spot_live"),
        (False, ["--no-track"], "spot_each"),
    ],
)
def test_what_comes_live_waits_for_nobody_and_files_are_looked_at_frame_by_frame(
    live: bool, flags: list[str], way: str
) -> None:
    parser = argparse.ArgumentParser()
    visualize_flags(parser)
    args = parser.parse_args(["--load-weights", "model.xml", "--video", "0", *flags])
    video: Any = SimpleNamespace(live=live, fps=30.0)
    frames: Any = frames_with_words(args, video, SimpleNamespace(stream=None))  # type: ignore[arg-type]
    assert frames.gi_code.co_name == way


@pytest.mark.parametrize("every", ["0", "-1", "often", "1.5"])
def test_every_is_a_number_of_frames_or_auto(
    model: Path, clip: Path, capsys: pytest.CaptureFixture[str], every: str
) -> None:
    with pytest.raises(SystemExit):
        visualize(model, "--video", clip, f"--every={every}")
    assert "is neither a number of frames from 1 on nor auto" in capsys.readouterr().err


def test_a_file_plays_at_its_pace_catches_up_a_little_and_not_after_a_halt(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    work = [0.01, 0.25, 0.01, 0.01, 60.0, *[0.01] * 9]
    shown = []
    for seconds, _ in zip(work, paced([BLUE] * len(work), fps=10), strict=True):
        shown.append(now[0])
        now[0] += seconds
    # Due every tenth of a second; the second frame makes the third late; after the halt half a second is made up for.
    before, after = shown[:5], np.array(shown[5:]) - shown[5]
    assert before == pytest.approx([0, 0.1, 0.35, 0.36, 0.4])
    assert after == pytest.approx([0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.1, 0.2, 0.3], abs=1e-6)
