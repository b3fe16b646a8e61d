"""tools/measure.py from end to end, on a model of a few nodes and one small set."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import sample_graphs

from text_spotting.annotations.dataset_file import write_dataset
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.cli.main import run_tool
from text_spotting.geometry import box_to_polygon
from text_spotting.image_files import write_image
from text_spotting.words import Word


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data root with two blue images 80 x 40 of the example photos alone."""
    folder = tmp_path / "data" / "horizontal_text_detection"
    images = []
    for number in range(2):
        path = folder / "images" / f"{number}.png"
        pixels = np.zeros((40, 80, 3), np.uint8)
        pixels[:, :, 0] = 255
        cv2.rectangle(pixels, (0, 0), (79, 39), (200, number, 0), 1)
        write_image(path, pixels)
        words = [Word(box_to_polygon((0, 0, 40, 20)), "AB"), Word(box_to_polygon((40, 20, 80, 40)), "other")]
        images.append(AnnotatedImage(path, 80, 40, words))
    write_dataset(folder / "annotation.json", images)
    return folder.parent


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "export").mkdir()
    return sample_graphs.save_ir(tmp_path / "export")


def measure(*arguments: object) -> int:
    return run_tool("measure", [str(argument) for argument in arguments])


@pytest.mark.slow
def test_sets_that_are_there_are_measured_and_the_others_named(
    root: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, sets = tmp_path / "first", "ic15_dev,iiit5k,ote"
    arguments = ("--load-weights", model, "--data-root", root, "--output", output, "--sets", sets)
    assert measure(*arguments, "--errors", "--plot", tmp_path / "figures.png") == 0
    shown = capsys.readouterr().out
    assert f"ic15_dev: left out, {root}/icdar2015/ch4_test_images is not there" in shown
    assert "iiit5k: left out" in shown
    assert "OTE's 16 drawings, 2 images" in shown
    assert "words whose text is known  4" in shown
    assert (tmp_path / "figures.png").stat().st_size > 1000
    kept = json.loads((output / "measured.json").read_text("utf-8"))
    detection = kept["sets"]["ote"]["columns"][0]
    assert (detection["figure"], detection["words"]) == ("f1", 4)
    assert list(kept["sets"]) == ["ote"]


@pytest.mark.slow
def test_a_measured_model_stands_beside_another_without_being_run(
    root: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "first"
    assert measure("--load-weights", model, "--data-root", root, "--output", output, "--sets", "ote") == 0
    capsys.readouterr()
    assert measure("--compare", output, output / "measured.json") == 0
    head, first, *_ = capsys.readouterr().out.splitlines()
    assert head.split() == ["set", "figure", "words", "first", "first"]
    assert first.endswith("+0.0 ±0.0")


@pytest.mark.parametrize(("fold_case", "right"), [(True, 1), (False, 0)])
def test_a_model_is_measured_with_case_where_its_alphabet_tells_it(
    root: Path, tmp_path: Path, fold_case: bool, right: int
) -> None:
    """It reads "ab" where "AB" stands, on both images."""
    (tmp_path / "export").mkdir()
    model = sample_graphs.save_ir(tmp_path / "export", replace(sample_graphs.EXPORTED, fold_case=fold_case))
    assert measure("--load-weights", model, "--data-root", root, "--output", tmp_path / "o", "--sets", "ote") == 0
    measured = json.loads((tmp_path / "o" / "measured.json").read_text("utf-8"))["sets"]["ote"]
    counts = {column["figure"]: column["counts"] for column in measured["columns"]}
    assert [matched for matched, _, _ in counts["e2e_recognition"][0]] == [right, right]
    assert [matched for matched, _, _ in counts["found_frames"][0]] == [right, right]
    assert measured["faults"]["right"] == 2 * right


def test_a_decoder_that_reads_features_is_not_measured_alone(
    root: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert measure("--load-weights", model, "--data-root", root, "--output", tmp_path / "o", "--sets", "ote") == 0
    shown = capsys.readouterr().out
    assert "its decoder reads features of its detector, not crops" in shown
    assert "attention" not in shown


@pytest.mark.slow
def test_figures_of_other_weights_are_not_mixed_in(
    root: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--data-root", root, "--output", tmp_path / "o", "--sets", "ote")
    assert measure("--load-weights", model, *arguments) == 0
    other = tmp_path / "other"
    other.mkdir()
    sample_graphs.save_ir(other, replace(sample_graphs.EXPORTED, score_thr=0.3))
    assert measure("--load-weights", other, *arguments) == 2
    assert "holds figures of other weights; choose another folder or delete it" in capsys.readouterr().err


def test_the_sets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert measure("--list") == 0
    shown = capsys.readouterr().out
    assert "iiit5k            IIIT5K, test part" in shown
    assert "rendered_dense    rendered, dense pages" in shown


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("", "nothing to do"),
        ("--load-weights rapidocr", "measuring also needs --data-root and --output"),
        ("--load-weights none.pth --data-root . --output {tmp}/o", "none.pth does not exist"),
        ("--load-weights none.pth --data-root {tmp}/absent --output {tmp}/o", "absent: no such folder"),
        ("--load-weights a.pth --data-root . --output {tmp}/o --limit 0", "--limit 0: must be 1 or more"),
        ("--load-weights a.pth --data-root . --output {tmp}/o --sets ic13", "no set is called 'ic13'"),
        ("--compare {tmp} --plot a.doc", "--plot a.doc: expected a file ending in .png, .svg, .pdf"),
        ("--load-weights a.pth --data-root . --output {tmp}/lone.pth", "--output: cannot write"),
        ("--load-weights a.pth --data-root . --output {tmp}/o --positions 10", "must lie between 1 and 9"),
        ("--compare {tmp}/absent.json", "absent.json: cannot read it"),
        ("--load-weights {tmp}/lone.pth --data-root . --output {tmp}/o", "no model.py beside it"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    arguments: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lone.pth").touch()
    assert measure(*arguments.format(tmp=tmp_path).split()) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_a_data_root_with_none_of_the_sets_is_told(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    arguments = ("--data-root", tmp_path / "empty", "--output", tmp_path / "o", "--sets", "ote,mlt")
    assert measure("--load-weights", model, *arguments) == 2
    assert "holds none of the sets" in capsys.readouterr().err
