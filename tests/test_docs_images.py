"""Scripts that make images of the pages."""

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

IMAGES = Path(__file__).parents[1] / "docs" / "images"


@pytest.mark.slow
def test_the_pan_goes_once_around_and_its_animation_has_all_views(tmp_path: Path) -> None:
    script: dict[str, Any] = runpy.run_path(str(IMAGES / "video_view.py"))
    image = np.zeros((700, 700, 3), np.uint8)
    image[:, 525:] = image[300:, :, 2] = 200
    views = list(script["pan"]([image, 255 - image], 4))
    assert [view.shape for view in views] == [(360, 560, 3)] * 4
    # It begins a quarter round: at x = 350 of 1400, where nothing is blue but what lies beyond 525, 175 further right.
    blue = views[0][180, :, 0] > 100
    assert np.flatnonzero(np.diff(blue.astype(int))).tolist() == [280 + 175 - 1]
    script["animate"](views, tmp_path / "a.webp", 10, 50)
    with Pillow.open(tmp_path / "a.webp") as animation:
        assert (animation.n_frames, animation.size, animation.info["loop"]) == (4, (560, 360), 0)  # type: ignore[attr-defined]


def test_the_animation_of_the_readme_is_light() -> None:
    assert (IMAGES / "video_view.webp").stat().st_size < 1.5e6


def measured(rapidocr: float | None) -> dict[str, Any]:
    def point(words: int, ms: float) -> dict[str, Any]:
        return {"words": words, "megapixels": 0.9, "ms": ms, "rapidocr_ms": rapidocr and rapidocr * ms}

    lettered, photos = [point(0, 60.0), point(30, 90.0)], [point(7, 70.0)]
    return {"box": {"precision": "bf16", "megapixels": 0.9, "lettered": lettered, "photos": photos if rapidocr else []}}


def draw_speed(folder: Path, rapidocr: float | None, *more: str) -> "subprocess.CompletedProcess[str]":
    (folder / "speed.json").write_text(json.dumps(measured(rapidocr)))
    command = [sys.executable, str(IMAGES / "speed.py"), str(folder / "speed.json"), "--output"]
    return subprocess.run([*command, str(folder / "speed.png"), *more], capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_speed_beside_rapidocr_is_drawn(tmp_path: Path) -> None:
    ended = draw_speed(tmp_path, 2.0, "--names", "0004-lite")
    assert ended.returncode == 0, ended.stderr
    drawn = cv2.imread(str(tmp_path / "speed.png"))
    assert drawn is not None and drawn.shape == (432, 1080, 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rapidocr", "flags", "complaint"),
    [
        (None, [], "speed.json was measured without --rapidocr"),
        (2.0, ["--names", "a", "b"], "--names: 2 names for 1 models"),
    ],
)
def test_what_cannot_be_drawn_is_told(tmp_path: Path, rapidocr: float | None, flags: list[str], complaint: str) -> None:
    ended = draw_speed(tmp_path, rapidocr, *flags)
    assert ended.returncode == 2 and complaint in ended.stderr


def test_images_per_second_are_drawn_for_every_size(tmp_path: Path) -> None:
    script: dict[str, Any] = runpy.run_path(str(IMAGES / "throughput.py"))
    rows = [
        {"name": name, "streams": streams, "width": width, "height": 480, "per_second": rate * 640 / width}
        for name, streams, rate in (("box", 1, 6.0), ("box", 2, 7.0), ("RapidOCR", 1, 2.0))
        for width in (640, 1280)
    ]
    script["draw"](rows, tmp_path / "many.png")
    drawn = cv2.imread(str(tmp_path / "many.png"))
    assert drawn is not None and drawn.shape == (432, 1080, 3)
    assert (drawn == (14, 127, 255)).all(axis=-1).sum() > 100, "the second set-up has a color of its own"


def test_the_way_of_the_weights_is_drawn_from_the_page_that_tells_it(tmp_path: Path) -> None:
    script: dict[str, Any] = runpy.run_path(str(IMAGES / "aims.py"))
    states, sets = script["table"]("| set | a | b |\n|---|---|---|\n| photos | 80.5 / 70 | |\n\n| set | c |\n")
    assert (states, sets) == (["a", "b"], {"photos": [[80.5, 70.0], None]})
    states, sets = script["table"]((IMAGES.parent / "experiments" / "aims.md").read_text(encoding="utf-8"))
    script["draw"](states, sets, tmp_path / "aims.png")
    drawn, shipped = cv2.imread(str(tmp_path / "aims.png")), cv2.imread(str(IMAGES / "aims.png"))
    assert drawn is not None and shipped is not None and drawn.shape == shipped.shape
    assert (drawn != shipped).any(axis=-1).mean() < 1e-3, "the page's image is of the page's table"
