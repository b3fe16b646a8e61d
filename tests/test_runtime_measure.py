"""Speed is measured of the right work, and arithmetic is counted right."""

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops
from sample_graphs import EXPORTED, save_ir

from text_spotting.cli.main import run_tool
from text_spotting.evaluation.broad import rapid
from text_spotting.runtime.measure import batch_against_loop, layer_times, stages, timed
from text_spotting.runtime.openvino_engine import OpenVinoEngine
from text_spotting.runtime.options import Target
from text_spotting.words import Image

BLUE = np.zeros((40, 80, 3), np.uint8)
BLUE[..., 0] = 255


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_ir(tmp_path_factory.mktemp("model"))


def test_the_first_call_does_not_count() -> None:
    calls: list[None] = []

    def work() -> None:
        calls.append(time.sleep(0.2 if not calls else 0.01))  # type: ignore[func-returns-value]

    assert 0.01 <= timed(work, repeats=3) < 0.1
    assert len(calls) == 4


def test_every_stage_of_an_image_takes_some_time(model: Path) -> None:
    measured = stages(OpenVinoEngine(model, Target()), BLUE, repeats=1)
    assert measured.words == 2
    parts = [measured.prepare, measured.detect, measured.read, measured.finish]
    assert min(parts) > 0
    assert measured.total == pytest.approx(sum(parts))


def test_arithmetic_of_dense_convolutions_is_counted(tmp_path: Path) -> None:
    image = ops.parameter([1, 3, 8, 16], np.float32, name="image")
    image.output(0).set_names({"image"})
    weights = np.ones((4, 3, 3, 3), np.float32)
    dense = ops.convolution(image, weights, [1, 1], [1, 1], [1, 1], [1, 1])
    single = ops.group_convolution(dense, np.ones((4, 1, 1, 3, 3), np.float32), [1, 1], [1, 1], [1, 1], [1, 1])
    ov.save_model(ov.Model([single], [image]), tmp_path / "d.xml", compress_to_fp16=False)
    measured = layer_times(tmp_path / "d.xml", np.zeros((8, 16, 3), np.uint8), "f32")
    assert measured.convolution_gflops == pytest.approx(2 * 4 * 8 * 16 * 3 * 3 * 3 / 1e9), "depthwise ones apart"
    assert measured.gflops_per_second == pytest.approx(1000 * measured.convolution_gflops / measured.convolution_ms)


def test_one_by_one_is_timed_on_the_graphs_that_clients_use(model: Path) -> None:
    engine = OpenVinoEngine(model, Target())
    files = [model.parent / EXPORTED.encoder, model.parent / EXPORTED.decoder]
    batch, loop = batch_against_loop(engine, files, np.zeros((20, *engine.text_feature_shape), np.float32), "f32")
    assert loop > batch > 0


@pytest.mark.slow
def test_the_tool_prints_every_table(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cv2.imwrite(str(tmp_path / "blue.png"), BLUE)
    flags = ["--load-weights", str(model), "--images", str(tmp_path), "--plot", str(tmp_path / "curve.png")]
    assert run_tool("benchmark", ["infer", *flags]) == 0
    said = capsys.readouterr().out
    for expected in (
        "load and compile",
        "prepare",
        "detector layers",
        "peak on a matrix product",
        "30 words one by one",
    ):
        assert expected in said
    assert cv2.imread(str(tmp_path / "curve.png")) is not None


@pytest.mark.slow
def test_times_of_whole_images_are_saved_beside_rapidocrs(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def slow(image: Image, **switches: bool) -> SimpleNamespace:
        asked.append(switches)
        time.sleep(0.005)
        return SimpleNamespace(boxes=None)

    monkeypatch.setattr(rapid, "engine", lambda threads: slow)
    cv2.imwrite(str(tmp_path / "blue.png"), BLUE)
    flags = ["--load-weights", str(model), "--images", str(tmp_path), "--save", str(tmp_path / "speed.json")]
    assert run_tool("benchmark", ["infer", *flags, "--rapidocr"]) == 0
    kept = json.loads((tmp_path / "speed.json").read_text())["model"]
    assert kept["megapixels"] == pytest.approx(8 * 4 / 1e6)
    (photo,) = kept["photos"]
    assert (photo["words"], photo["megapixels"]) == (2, pytest.approx(80 * 40 / 1e6))
    assert photo["ms"] > 0 and 5 <= photo["rapidocr_ms"] < 50
    assert len(kept["lettered"]) == 4 and {one["megapixels"] for one in kept["lettered"]} == {1280 * 720 / 1e6}
    everything = {"use_det": True, "use_cls": True, "use_rec": True, "return_word_box": True}
    assert asked and all(switches == everything for switches in asked), (
        "it remembers what it was last told to leave out"
    )
    said = capsys.readouterr().out
    assert "RapidOCR with word boxes" in said and "RapidOCR on the same: " in said


def test_rapidocr_that_is_not_installed_is_told_before_anything_is_measured(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    rapid.engine.cache_clear()
    cv2.imwrite(str(tmp_path / "blue.png"), BLUE)
    flags = ["--load-weights", str(model), "--images", str(tmp_path), "--rapidocr"]
    assert run_tool("benchmark", ["infer", *flags]) == 2
    said = capsys.readouterr()
    assert said.out == "" and "install it: pip install rapidocr" in said.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(["--count", "0"], "--count 0: must be 1 or more"), (["--precision", "f8"], "precision 'f8' is unknown")],
)
def test_wishes_that_make_no_sense(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    cv2.imwrite(str(tmp_path / "blue.png"), BLUE)
    flags = ["infer", "--load-weights", str(model), "--images", str(tmp_path), *arguments]
    assert run_tool("benchmark", flags) == 2
    assert complaint in capsys.readouterr().err
