"""Whatever people have as an image becomes the same array, or one line that says why not."""

import io
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from text_spotting.errors import UserError
from text_spotting.images import load_image

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
GREY = PIXELS[:, :, 0]


@pytest.fixture(scope="module")
def png(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("images") / "photo.png"
    cv2.imwrite(str(path), PIXELS)
    return path


@pytest.fixture(scope="module")
def server(png: Path) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/photo.png" else 404)
            self.end_headers()
            self.wfile.write(png.read_bytes() if self.path == "/photo.png" else b"")

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


KINDS = {
    "a path": lambda png: png,
    "its name": str,
    "bytes": Path.read_bytes,
    "a bytearray": lambda png: bytearray(png.read_bytes()),
    "an open file": lambda png: io.BytesIO(png.read_bytes()),
    "a PIL image": Pillow.open,
    "an array": lambda _: PIXELS,
    "an array with alpha": lambda _: np.dstack([PIXELS, np.full(PIXELS.shape[:2], 200, np.uint8)]),
    "floats in 0..1": lambda _: PIXELS / np.float32(255),
    "double precision": lambda _: PIXELS / 255,
    "16 bits": lambda _: PIXELS.astype(np.uint16) * 256 + 17,
}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_every_kind_of_image_is_the_same_array(png: Path, make: Callable[[Path], Any]) -> None:
    image = load_image(make(png))
    assert image.dtype == np.uint8
    assert np.array_equal(image, PIXELS)


def test_a_url_is_fetched(server: str) -> None:
    assert np.array_equal(load_image(f"{server}/photo.png"), PIXELS)


def test_the_order_of_channels_can_be_told_and_counts_for_arrays_alone(png: Path) -> None:
    assert np.array_equal(load_image(PIXELS[:, :, ::-1], "rgb"), PIXELS)
    assert np.array_equal(load_image(png, "rgb"), PIXELS)
    assert np.array_equal(load_image(np.dstack([PIXELS[:, :, ::-1], GREY]), "rgb"), PIXELS), "alpha stays last"


def test_grey_has_three_equal_channels() -> None:
    assert np.array_equal(load_image(GREY), np.dstack([GREY] * 3))
    assert np.array_equal(load_image(Pillow.fromarray(GREY)), np.dstack([GREY] * 3))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "RGBa"])
@pytest.mark.parametrize(("ink", "ground"), [(0, 255), (255, 0)], ids=["black", "white"])
def test_a_transparent_pil_image_lies_on_what_shows_it(mode: str, ink: int, ground: int) -> None:
    alpha = np.array([[0, 255], [255, 0]], np.uint8)
    pixels = np.dstack([np.full((2, 2, 3), ink, np.uint8), alpha])
    assert load_image(Pillow.fromarray(pixels).convert(mode))[:, :, 0].tolist() == [[ground, ink], [ink, ground]]


def test_a_pil_image_of_16_bits_keeps_its_high_byte_as_its_file_does(tmp_path: Path) -> None:
    image = Pillow.fromarray(GREY.astype(np.uint16) * 256 + 17)
    image.save(tmp_path / "deep.png")
    assert np.array_equal(load_image(image), np.dstack([GREY] * 3))
    assert np.array_equal(load_image(tmp_path / "deep.png"), np.dstack([GREY] * 3))


def test_a_pil_image_is_turned_as_its_exif_data_says() -> None:
    image = Pillow.fromarray(PIXELS[:, :, ::-1])
    image.getexif()[0x0112] = 6  # "rotate by 90 degrees clockwise to show"
    assert np.array_equal(load_image(image), np.rot90(PIXELS, -1))


WRONG = {
    "floats beyond 1": (PIXELS.astype(np.float32), r"floats must hold values from 0 to 1, this one has \d+ to 2\d\d;"),
    "not a number": (np.full((2, 2), np.nan), "from 0 to 1"),
    "negative": (np.full((2, 2), -0.5), "this one has -0.5 to -0.5"),
    "integers": (PIXELS.astype(int), "uint8"),
    "a batch in one array": (PIXELS[None], r"must be \(H, W\)"),
    "no pixels": (np.zeros((0, 5, 3), np.uint8), "empty"),
    "no image": (b"hello", "5 bytes is not an image or is broken"),
    "no bytes": (b"", "0 bytes is not an image"),
    "nothing": (None, "not NoneType"),
    "a missing file": ("nowhere.jpg", "nowhere.jpg"),
    "a server that is not there": ("http://127.0.0.1:9/x.jpg", "http://127.0.0.1:9/x.jpg: cannot be downloaded"),
}


@pytest.mark.parametrize(("source", "complaint"), WRONG.values(), ids=WRONG)
def test_what_is_no_image_is_told_in_one_line(source: Any, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint) as caught:
        load_image(source)
    assert "\n" not in str(caught.value)


def test_an_address_without_an_image_is_told(server: str) -> None:
    with pytest.raises(UserError, match=r"nothing.png: cannot be downloaded .Not Found"):
        load_image(f"{server}/nothing.png")
