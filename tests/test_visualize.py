"""The tool draws, saves and serves what an exported model finds."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest
from sample_graphs import save_ir

from text_spotting.annotations.dataset_file import read_dataset
from text_spotting.cli.main import run_tool
from text_spotting.errors import UserError
from text_spotting.geometry import box_to_polygon
from text_spotting.runtime.serve import FrameServer
from text_spotting.runtime.sources import Video, find_pictures
from text_spotting.words import Word

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
    assert visualize(model, "--images", photos, "--save-json", words) == 2
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


def test_the_state_tells_words_in_reading_order_and_what_the_video_does(server):
    def state():
        return json.loads(fetch(server.url + "state.json")[1])

    assert state() == {"title": "Text spotting", "status": "waiting", "frames": 0, "fps": 0.0, "words": []}
    words = [Word(box_to_polygon(box), text, 0.5) for box, text in (((50, 0, 80, 9), "two"), ((0, 0, 30, 9), "one"))]
    server.show(BLUE, [*words, Word(box_to_polygon((0, 20, 9, 29)))])
    assert [word["text"] for word in state()["words"]] == ["one", "two"]
    assert (state()["status"], state()["frames"]) == ("playing", 1)
    server.end()
    assert state()["status"] == "ended"
    assert fetch(server.url + "frame.jpg")[0] == "image/jpeg", "the last frame stays"


def post(url, **headers):
    request = urllib.request.Request(url, b"", headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.loads(answer.read())


def test_viewers_halt_the_video_and_let_it_go_on(server):
    server.show(BLUE)
    assert post(server.url + "pause")["status"] == "paused"
    player = threading.Thread(target=server.show, args=(BLUE,), daemon=True)
    player.start()
    player.join(timeout=0.2)
    assert player.is_alive(), "the player waits"
    assert post(server.url + "pause")["status"] == "playing"
    player.join(timeout=5)
    assert not player.is_alive()


def test_pages_of_other_sites_halt_nothing(server):
    server.show(BLUE)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        post(server.url + "pause", Origin="http://elsewhere.example")
    assert server.state()["status"] == "playing"


@pytest.mark.parametrize("loop", [False, True], ids=["once", "again and again"])
def test_a_video_file_that_ends_keeps_its_page_or_begins_anew(model, clip, loop):
    flags = ["--video", str(clip), "--no-show", "--serve", "0", *(["--loop"] if loop else [])]
    command = [sys.executable, "-m", "text_spotting", "visualize", "--load-weights", str(model), *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        url = process.stdout.readline().split()[-1]
        wanted = (lambda state: state["frames"] > 20) if loop else (lambda state: state["status"] == "ended")
        seen = []
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (seen and wanted(seen[-1])):
            seen.append(json.loads(fetch(url + "state.json")[1]))
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
    assert wanted(seen[-1])
    assert seen[-1]["title"] == clip.name


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
