"""The tool draws, saves and serves what an exported model finds."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest
from sample_graphs import save_ir

from text_spotting.annotations.dataset_file import read_dataset
from text_spotting.cli.main import run_tool
from text_spotting.errors import UserError
from text_spotting.runtime.serve import FrameServer
from text_spotting.runtime.sources import Video, find_pictures

ROOT = Path(__file__).parents[1]
BLUE = np.zeros((40, 80, 3), np.uint8)
BLUE[..., 0] = 255


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_ir(tmp_path_factory.mktemp("model")).with_suffix(".bin")


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    cv2.imwrite(str(folder / "one.png"), BLUE)
    cv2.imwrite(str(folder / "two.jpg"), BLUE)
    return folder


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (80, 40))
    for _ in range(7):
        writer.write(BLUE)
    writer.release()
    return path


def visualize(model, *arguments):
    return run_tool("visualize", ["--load-weights", str(model), "--no-show", *map(str, arguments)])


def test_pictures_are_drawn_and_their_words_saved(model, photos, tmp_path):
    out, words = tmp_path / "out", tmp_path / "words.json"
    assert visualize(model, "--images", photos, "--output", out, "--save-json", words) == 0
    assert sorted(path.name for path in out.iterdir()) == ["one.png", "two.jpg"]
    assert not np.array_equal(cv2.imread(str(out / "one.png")), BLUE), "something is drawn"
    found = json.loads(words.read_text())
    assert sorted(found) == ["one", "two"]
    assert [word["text"] for word in found["one"]] == ["ab", ""]
    corners = np.array(found["one"][0]["polygon"])
    assert np.allclose([corners.min(0), corners.max(0)], [[0, 0], [40, 20]], atol=1e-3), "pixels of the picture"


def test_annotations_can_be_read_back_for_correction(model, photos, tmp_path):
    file = photos / "annotation.json"
    assert visualize(model, "--images", photos / "*.png", "--save-annotations", file) == 0
    (image,) = read_dataset(file, photos)
    assert image.path == photos / "one.png"
    assert [word.text for word in image.words] == ["ab", ""]


def test_a_broken_picture_does_not_cost_the_others(model, photos, tmp_path, capsys):
    (photos / "torn.jpg").write_bytes(b"not a picture")
    words = tmp_path / "words.json"
    assert visualize(model, "--images", photos, "--save-json", words) == 1
    assert sorted(json.loads(words.read_text())) == ["one", "two"]
    assert re.search(r"1 of 3 pictures could not be read: .*torn.jpg", capsys.readouterr().err)


def test_a_video_is_drawn_frame_by_frame(model, clip, tmp_path, capsys):
    out, words = tmp_path / "new folder" / "out.avi", tmp_path / "words.json"
    assert visualize(model, "--video", clip, "--output", out, "--save-json", words) == 0
    assert len(list(Video(str(out)))) == 7
    found = json.loads(words.read_text())
    assert list(found) == [f"clip_{index:06d}" for index in range(7)]
    assert re.search(r"7 frames, [\d.]+ frames/s", capsys.readouterr().out)


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
    ],
    ids=[
        "no pictures",
        "no video",
        "no camera",
        "nowhere to show",
        "unknown video format",
        "no port",
        "annotations of a video",
        "unwritable output",
    ],
)
def test_bad_input_ends_with_one_clear_line(model, clip, capfd, arguments, complaint):
    assert visualize(model, *(argument.format(clip=clip) for argument in arguments)) == 2
    (line,) = [line for line in capfd.readouterr().err.splitlines() if line.startswith("error: ")]
    assert complaint in line


def test_an_empty_folder_and_a_file_that_is_no_video(tmp_path):
    with pytest.raises(UserError, match="holds no picture"):
        find_pictures(str(tmp_path))
    (tmp_path / "clip.mp4").write_bytes(b"nothing")
    with pytest.raises(UserError, match="the video cannot be opened"):
        Video(str(tmp_path / "clip.mp4"))


@pytest.fixture
def server():
    frames = FrameServer(0)
    yield frames
    frames.close()


def fetch(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.headers["Content-Type"], answer.read()


def test_the_page_shows_the_stream(server):
    kind, page = fetch(server.url)
    assert kind.startswith("text/html")
    assert b'src="/stream.mjpg"' in page


def test_the_latest_frame_can_be_fetched(server):
    server.show(BLUE)
    server.show(BLUE[..., ::-1])
    kind, jpeg = fetch(server.url + "frame.jpg")
    assert kind == "image/jpeg"
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture[20, 40, 2] > 250, "red, the second frame"


def test_the_stream_sends_every_viewer_new_frames(server):
    with urllib.request.urlopen(server.url + "stream.mjpg", timeout=5) as answer:
        parts = b""
        for count in (1, 2):
            server.show(BLUE)
            while parts.count(b"--frame") < count:
                parts += answer.read1()
    assert answer.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=frame"


def test_closing_lets_a_waiting_viewer_go():
    frames = FrameServer(0)
    viewer = threading.Thread(target=frames.newer_than, args=(0,))
    viewer.start()
    frames.close()
    viewer.join(timeout=5)
    assert not viewer.is_alive()


def test_a_port_that_is_taken(server):
    port = int(server.url.rsplit(":", 1)[1].strip("/"))
    with pytest.raises(UserError, match=f"--serve {port}: cannot listen"):
        FrameServer(port)


def test_a_video_stopped_by_sigterm_can_be_opened_and_its_words_are_saved(model, tmp_path):
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


def test_idle_connections_do_not_keep_newcomers_out(server):
    server.show(BLUE)
    host, port = server.url.removeprefix("http://").rstrip("/").split(":")
    idle = [socket.create_connection((host, int(port))) for _ in range(200)]
    assert fetch(server.url + "frame.jpg")[1][:2] == b"\xff\xd8"
    assert threading.active_count() < 100
    for connection in idle:
        connection.close()


def test_a_connection_that_asks_for_nothing_is_closed(monkeypatch):
    monkeypatch.setattr("text_spotting.runtime.serve._PATIENCE", 0.2)
    waiting = FrameServer(0)
    host, port = waiting.url.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        assert connection.recv(1) == b"", "the other side has hung up"
    waiting.close()
