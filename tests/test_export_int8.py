"""Quantization goes as far as accuracy allows, keeps what it must, and reports both sides."""

import json
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops
from sample_graphs import EXPORTED, save_ir
from small_networks import BOTH, small_network

from text_spotting.annotations.dataset_file import write_dataset
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.cli.compress import METRICS
from text_spotting.cli.main import run_tool
from text_spotting.errors import UserError
from text_spotting.evaluation.evaluate import Score
from text_spotting.export import coordinates, int8
from text_spotting.export.export import ExportOptions, export, plain_manifest
from text_spotting.export.int8 import LEVELS, Calibration, Level, Trial, collect, quantize_graph, search
from text_spotting.export.report import AccuracyDrop, Measurement, accuracy_drops
from text_spotting.export.verify import sample_image
from text_spotting.geometry import box_to_polygon
from text_spotting.runtime.session import CORE
from text_spotting.runtime.spotter import Spotter
from text_spotting.words import FloatArray, Word

pytestmark = pytest.mark.slow


def two_layers() -> ov.Model:
    image = ops.parameter([1, 3, 8, 8], np.float32, name="image")
    weights = np.random.default_rng(0).normal(size=(2, 4, 3, 3, 3)).astype(np.float32)
    first = ops.convolution(image, weights[0], [1, 1], [1, 1], [1, 1], [1, 1], name="backbone")
    second = ops.convolution(image, weights[1], [1, 1], [1, 1], [1, 1], [1, 1], name="fc_reg")
    model = ov.Model([ops.concat([first, second], 1)], [image], "two")
    model.set_rt_info("kept as it is", ["text_spotting"])
    return model


def quantized_layers(model: ov.Model) -> set[str]:
    """Convolutions whose weights are stored as bytes."""
    found = set()
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Convolution":
            weights = node.input_value(1).get_node()
            while weights.get_type_name() != "Constant":
                weights = weights.input_value(0).get_node()
            if weights.get_element_type() == ov.Type.i8:
                found.add(node.get_friendly_name())
    return found


def convolutions(model: ov.Model) -> set[str]:
    return {node.get_friendly_name() for node in model.get_ordered_ops() if node.get_type_name() == "Convolution"}


SAMPLES = [np.random.default_rng(seed).random((1, 3, 8, 8), np.float32) for seed in range(4)]


def test_layers_are_quantized_and_the_manifest_stays() -> None:
    quantized = quantize_graph(two_layers(), SAMPLES, ())
    assert quantized_layers(quantized) == {"backbone", "fc_reg"}
    assert quantized.get_rt_info(["text_spotting"]).value == "kept as it is"


def test_layers_to_be_kept_are_not_quantized() -> None:
    assert quantized_layers(quantize_graph(two_layers(), SAMPLES, [r".*fc_reg.*"])) == {"backbone"}


def test_a_level_that_keeps_layers_of_another_name_is_refused() -> None:
    with pytest.raises(UserError, match=r"two has no layer like \.\*box_regression\.\*"):
        quantize_graph(two_layers(), SAMPLES, [r".*fc_reg.*", r".*box_regression.*"])


def test_a_detector_that_computes_coordinates_elsewhere_is_neither_quantized_nor_marked(tmp_path: Path) -> None:
    """The sample detector has no layer of proposals, which the first pattern of coordinates means."""
    source = save_ir(tmp_path)
    images: list[FloatArray] = [np.zeros((1, 3, 4, 8), np.float32)]
    (tmp_path / "out").mkdir()
    before = source.read_bytes()
    with pytest.raises(UserError, match=r"detector has no layer like \^/\?proposals/"):
        int8.quantize(source, EXPORTED, Calibration(images, []), LEVELS[0], tmp_path / "out")
    with pytest.raises(UserError, match=r"model\.xml has no layer like \^/\?proposals/"):
        coordinates.mark_float32_layers(source)
    assert source.read_bytes() == before


@pytest.mark.parametrize("name", BOTH)
def test_every_pattern_of_every_level_means_some_convolution_of_either_network(name: str) -> None:
    """Layers of an exported detector are called as its modules are, with slashes."""
    _, network = small_network(name)
    modules = dict(network.named_modules())
    layers = [name.replace(".", "/", 1) for name in modules] + list(modules)
    kept = {pattern for level in LEVELS for pattern in level.kept} - {r"^/?boxes/.*", r"^/?proposals/.*"}
    assert len(kept) == 4
    for pattern in kept:
        assert any(re.match(pattern, layer) for layer in layers), pattern


def measured(f1: float, word_spotting: float = 60.0) -> Measurement:
    """Two like images with these metrics, in quarters of a point."""
    both = zip(METRICS, (f1, word_spotting), strict=True)
    return Measurement("f32", 1.0, {name: [Score(int(4 * points), 400, 400)] * 2 for name, points in both})


def searched(tmp_path: Path, drops: list[float], most_drop: float) -> tuple[Trial, list[Level], list[str]]:
    """Search where each level in turn loses so many points of f1, which was 80, and none of word spotting."""
    scores = iter([measured(80.0 - drop) for drop in drops])
    made: list[Level] = []
    said: list[str] = []
    trial = search(
        lambda level, place: made.append(level),
        lambda place: next(scores),
        measured(80.0),
        most_drop,
        tmp_path,
        said.append,
    )
    return trial, made, said


def test_the_fastest_level_that_is_accurate_enough_is_taken(tmp_path: Path) -> None:
    trial, made, said = searched(tmp_path, [3.0, 0.5, 0.0], most_drop=0.5)
    assert trial.level is LEVELS[1]
    assert trial.largest_drop == 0.5
    assert made == list(LEVELS[:2]), "no further level is tried"
    assert said[-1] == "  lost: f1 +0.50 (+0.50 to +0.50), word_spotting +0.00 (+0.00 to +0.00)"


def test_where_none_is_accurate_enough_the_best_is_taken(tmp_path: Path) -> None:
    trial, _, _ = searched(tmp_path, [3.0, 2.0, 0.75, 1.0], most_drop=0.5)
    assert (trial.level, trial.largest_drop) == (LEVELS[2], 0.75)


def test_a_loss_is_as_sure_as_the_images_are_alike() -> None:
    before = {"f1": [Score(10, 10, 10)] * 30}
    alike = accuracy_drops(before, {"f1": [Score(9, 10, 10)] * 30})["f1"]
    assert (alike.points, alike.low, alike.high) == pytest.approx((10, 10, 10))
    unlike = accuracy_drops(before, {"f1": [Score(10, 10, 10)] * 27 + [Score(0, 10, 10)] * 3})["f1"]
    assert unlike.points == pytest.approx(10)
    # Images drawn anew hold 0 to some 6 of the bad ones: 3 and two standard deviations of sqrt(30 * 0.1 * 0.9).
    assert unlike.low == pytest.approx(0, abs=1)
    assert unlike.high == pytest.approx(20, abs=4)


def test_the_worst_metric_counts_and_so_does_the_least_sure_one(tmp_path: Path) -> None:
    trial = Trial(
        LEVELS[0], tmp_path, measured(79.0), {"f1": AccuracyDrop(1, 0.5, 1.5), "word_spotting": AccuracyDrop(0, -2, 2)}
    )
    assert (trial.largest_drop, trial.spread) == (1, 2)


def test_levels_grow_more_careful() -> None:
    assert [len(level.kept) for level in LEVELS] == sorted(len(level.kept) for level in LEVELS)
    assert Level("all") == Level("all", (), "")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config, network = small_network("text-spotting-0003-lite")
    folder = tmp_path_factory.mktemp("full")
    export(network, plain_manifest(config, (192, 96)), folder, ExportOptions(onnx=False), lambda _: None)
    return folder / "model.xml"


@pytest.fixture(scope="module")
def annotated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    cv2.imwrite(str(folder / "one.png"), sample_image())
    word = Word(box_to_polygon([10, 10, 90, 40]), "open24")
    write_dataset(folder / "annotation.json", [AnnotatedImage(folder / "one.png", 640, 480, [word])])
    return folder


def compress(model: Path, annotated: Path, folder: Path, *arguments: str) -> int:
    data = ("ann-files", annotated / "annotation.json"), ("data-roots", annotated)
    flags = [word for side in ("train", "val") for kind, path in data for word in (f"--{side}-{kind}", path)]
    return run_tool(
        "compress", [str(word) for word in ["--load-weights", model, "--save-model-to", folder, *flags, *arguments]]
    )


def test_the_tool_writes_a_smaller_model_and_a_report(
    model: Path, annotated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compress(model, annotated, tmp_path, "--nncf-quantization", "--max-drop", "100") == 0
    said = capsys.readouterr()
    assert "warning: 1 calibration images; 300 or more are advised" in said.err
    report = json.loads((tmp_path / "compression.json").read_text())
    assert report["after"]["megabytes"] < 0.55 * report["before"]["megabytes"]
    assert set(report["after"]["scores"]) == set(report["lost"]) == {"f1", "word_spotting"}
    assert 'name="precise"' in (tmp_path / "model.xml").read_text(), "coordinates stay in float32"
    assert "NNCF" not in said.out + said.err and "INFO" not in said.out + said.err
    assert (
        "INFO:nncf" in (tmp_path / "compression.log").read_text()
        or (tmp_path / "compression.log").stat().st_size > 1000
    )
    quantized = CORE.read_model(tmp_path / Spotter(tmp_path).manifest.recognizer)
    kept = convolutions(quantized) - quantized_layers(quantized)
    assert kept and all(re.search(r"beside|enter|local|separator|stages\.0\.0", name) for name in kept), (
        "the trunk is in INT8"
    )
    assert len(Spotter(tmp_path)(sample_image())) > 0
    assert {path.suffix for path in tmp_path.iterdir()} == {".xml", ".bin", ".json", ".log"}, "no scratch is left"


def test_a_level_says_what_the_rest_is_computed_in(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8, "quantize_graph", lambda graph, *_: graph)
    for level, asked in ((LEVELS[0], ""), (LEVELS[-1], "f32")):
        place = tmp_path / f"rest {asked}"
        place.mkdir()
        int8.quantize(model, Spotter(model).manifest, Calibration([], []), level, place)
        assert Spotter(place).manifest == replace(Spotter(model).manifest, precision=asked)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--nncf-pruning"], "--nncf-pruning is not offered"),
        (["--subset-size", "0"], "--subset-size 0: must be 1 or more"),
        (["--max-drop", "-1"], "--max-drop -1.0: must be 0 or more"),
    ],
    ids=["pruning", "no images", "negative drop"],
)
def test_wishes_that_make_no_sense(
    model: Path,
    annotated: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    complaint: str,
) -> None:
    assert compress(model, annotated, tmp_path, *arguments) == 2
    assert complaint in capsys.readouterr().err


def test_a_model_that_finds_nothing_cannot_be_calibrated(model: Path, annotated: Path) -> None:
    strict = replace(Spotter(model).manifest, score_thr=1.0)
    with pytest.raises(UserError, match="finds no word in the 1 calibration images"):
        collect(model, strict, [annotated / "one.png"])
