"""Images per second: counted right, by streams and sizes, beside others."""

import json
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from sample_graphs import save_ir

from text_spotting.cli.benchmark_throughput import measure
from text_spotting.cli.main import run_tool
from text_spotting.evaluation.broad import rapid
from text_spotting.words import Image

BLUE = np.full((40, 80, 3), (255, 0, 0), np.uint8)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two images in which the small model finds two words."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(2):
        cv2.imwrite(str(folder / f"{number}.png"), BLUE)
    return folder


def test_images_are_scaled_timed_and_their_words_counted() -> None:
    seen = []

    def slow(images: list[Image]) -> int:
        seen.append([image.shape for image in images])
        time.sleep(0.02 * len(images))
        return 6

    quick, slower = measure({("quick", 2): lambda images: 3, ("slow", 1): slow}, [BLUE, BLUE], (64, 48))
    assert seen == [[(48, 64, 3)] * 2] * 4, "one round to warm up and three that count"
    assert (slower.name, slower.streams, slower.width, slower.height, slower.words) == ("slow", 1, 64, 48, 3.0)
    assert 5 < slower.per_second <= 50, "two images in 0.04 s, or more where others work too"
    assert quick.per_second > 1000 and quick.words == 1.5


@pytest.mark.slow
def test_the_tool_lets_models_and_rapidocr_read_in_turn(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rapid, "spot", lambda image: [1, 2, 3])
    model = save_ir(tmp_path / "model")
    flags = ["--load-weights", str(model), "--images", str(photos), "--sizes", "80x40", "32x16", "--streams", "1", "3"]
    assert run_tool("benchmark", ["throughput", *flags, "--rapidocr", "--save", str(tmp_path / "kept.json")]) == 0
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert [(one["name"], one["streams"], one["width"], one["words"]) for one in kept] == [
        ("model", 1, 80, 2.0),
        ("model", 3, 80, 2.0),
        ("RapidOCR", 1, 80, 3.0),
        ("model", 1, 32, 2.0),
        ("model", 3, 32, 2.0),
        ("RapidOCR", 1, 32, 3.0),
    ]
    said = capsys.readouterr().out
    assert "80x40" in said and "images/s" in said and "RapidOCR" in said


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        (["--streams", "0"], "--streams 0: must be 1 or more"),
        (["--count", "0"], "--count 0: must be 1 or more"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(
    photos: Path, capsys: pytest.CaptureFixture[str], wish: list[str], complaint: str
) -> None:
    assert run_tool("benchmark", ["throughput", "--load-weights", "m.xml", "--images", str(photos), *wish]) == 2
    assert complaint in capsys.readouterr().err
