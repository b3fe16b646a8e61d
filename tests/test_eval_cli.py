"""The eval tool: weights or predictions in, a table and files out, one clear line where something is wrong."""

import argparse
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from sample_graphs import save_ir, save_onnx

from text_spotting.annotations.dataset_file import write_dataset
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.cli.eval import _add_scoring
from text_spotting.cli.main import run_tool
from text_spotting.engine.torch_spotter import build_network
from text_spotting.geometry import box_to_polygon
from text_spotting.words import Word
from text_spotting.workdir.config import flat_config, load_config

ROOT = Path(__file__).parents[1]
LITE = ROOT / "model_templates" / "alphanumeric-text-spotting" / "text-spotting-0003-lite"

Tool = Callable[..., tuple[int, str, str]]


def word(*box: float, text: str = "", ignore: bool = False) -> Word:
    return Word(box_to_polygon(box), text, ignore=ignore)


@pytest.fixture
def dataset(tmp_path: Path) -> list[str]:
    """Two blue images; the sample model finds "ab" at the top left, something unread at the bottom right."""
    images = []
    for name, words in {
        "first": [word(0, 0, 40, 20, text="ab"), word(40, 20, 80, 40, text="abc")],
        "second": [word(0, 0, 40, 20, text="cab"), word(40, 20, 80, 40, ignore=True)],
    }.items():
        image = np.zeros((40, 80, 3), np.uint8)
        image[..., 0] = 255
        cv2.imwrite(str(tmp_path / f"{name}.png"), image)
        images.append(AnnotatedImage(tmp_path / f"{name}.png", 80, 40, words))
    write_dataset(tmp_path / "truth.json", images)
    return ["--test-ann-files", str(tmp_path / "truth.json"), "--test-data-roots", str(tmp_path)]


@pytest.fixture
def tool(capsys: pytest.CaptureFixture[str], dataset: list[str]) -> Tool:
    def call(*arguments: object) -> tuple[int, str, str]:
        code = run_tool("eval", [*dataset, *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    """One word right, one misread, nothing on the second image."""
    found = [
        {"polygon": [[0, 0], [40, 0], [40, 20], [0, 20]], "text": "AB", "score": 0.9},
        {"polygon": [[40, 20], [80, 20], [80, 40], [40, 40]], "text": "abd", "score": 0.8},
    ]
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"first": found, "second": []}))
    return path


def values(metrics_file: Path) -> dict[str, float]:
    return {entry["key"]: entry["value"] for entry in yaml.safe_load(metrics_file.read_text())["metrics"]}


def test_predictions_are_scored_and_the_metrics_file_keeps_the_old_form(
    tool: Tool, predictions: Path, tmp_path: Path
) -> None:
    metrics = tmp_path / "metrics.yaml"
    metrics.write_text("owner: me\nmetrics: [old]\n")
    code, out, err = tool("--from-predictions", predictions, "--save-metrics-to", metrics)
    assert (code, err) == (0, "")
    assert "F1-score" in out
    assert yaml.safe_load(metrics.read_text()) == {
        "owner": "me",
        "files": [
            {
                "name": "p.json",
                "sha256": hashlib.sha256(predictions.read_bytes()).hexdigest(),
                "size": predictions.stat().st_size,
                "source": str(predictions),
            }
        ],
        "metrics": [
            {"display_name": "F1-score", "key": "f1", "unit": "%", "value": 80.0},
            {"display_name": "Word Spotting", "key": "word_spotting", "unit": "%", "value": 0.0},
            {"display_name": "ICDAR 2015 detection", "key": "ic15_detection", "unit": "%", "value": 80.0},
            {"display_name": "ICDAR 2015 word spotting", "key": "ic15_word_spotting", "unit": "%", "value": 0.0},
            {"display_name": "ICDAR 2015 end-to-end", "key": "ic15_end_to_end", "unit": "%", "value": 40.0},
        ],
    }


@pytest.mark.parametrize("save", [save_ir, save_onnx], ids=["IR", "ONNX"])
def test_an_exported_model_is_scored_saved_and_drawn(tool: Tool, tmp_path: Path, save: Callable[[Path], Path]) -> None:
    (tmp_path / "export").mkdir()
    model = save(tmp_path / "export")
    weights = model.with_suffix(".bin") if model.suffix == ".xml" else model
    metrics, saved, drawn = tmp_path / "m.yaml", tmp_path / "p.json", tmp_path / "drawn"
    arguments = ["--load-weights", weights, "--save-metrics-to", metrics, "--save-predictions", saved]
    code, _, err = tool(*arguments, "--save-output-to", drawn, "--workers", 2)
    assert (code, err) == (0, "")
    # Three words count and are found; "ab" is read right once, and the second "ab" should be "cab".
    assert values(metrics) == {
        "f1": 100.0,
        "word_spotting": 0.0,
        "ic15_detection": 100.0,
        "ic15_word_spotting": 0.0,
        "ic15_end_to_end": 40.0,
    }
    assert [len(words) for words in json.loads(saved.read_text()).values()] == [2, 2]
    assert sorted(file.name for file in drawn.iterdir()) == ["first.jpg", "second.jpg"]
    again = tmp_path / "again.yaml"
    assert tool("--from-predictions", saved, "--save-metrics-to", again)[0] == 0
    assert values(again) == values(metrics)


@pytest.mark.slow
def test_a_checkpoint_is_scored_in_its_work_dir_with_its_size_measured(
    tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work_dir, metrics = tmp_path / "work", tmp_path / "m.yaml"
    work_dir.mkdir()
    (work_dir / "template.yaml").write_text((LITE / "template.yaml").read_text())
    (work_dir / "model.py").write_text(flat_config(LITE / "model.py"))
    network = build_network(load_config(work_dir / "model.py"))
    torch.save({"state_dict": network.state_dict(), "meta": {}}, work_dir / "epoch_1.pth")
    monkeypatch.setattr(sys, "argv", [str(work_dir / "eval.py")])
    code, _, err = tool("--load-weights", work_dir / "epoch_1.pth", "--save-metrics-to", metrics)
    assert (code, err.replace("spotting: 2 of 2 images\n", "")) == (0, ""), "slow machines tell how far they are"
    assert list(values(metrics))[:4] == ["size", "complexity", "f1", "word_spotting"]
    trainable = sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
    assert values(metrics)["size"] == round(trainable / 1e6, 2)
    assert 1 < values(metrics)["complexity"] < 100


def test_a_checkpoint_without_work_dir_is_refused(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "epoch_1.pth").write_bytes(b"")
    code, _, err = tool("--load-weights", tmp_path / "epoch_1.pth")
    assert code == 2
    assert "make a work dir first" in err


def test_a_lexicon_mends_readings_and_gets_its_own_entries(tool: Tool, predictions: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("abc\nzebra\n")
    (tmp_path / "strong").mkdir()
    for name in ("first", "second"):
        (tmp_path / "strong" / f"voc_{name}.txt").write_text("zebra\n")
    metrics = tmp_path / "m.yaml"
    lexicons = ["--lexicon", tmp_path / "words.txt", "--lexicon", f"generic={tmp_path / 'words.txt'}"]
    code, out, _ = tool(
        "--from-predictions", predictions, "--save-metrics-to", metrics, *lexicons,
        "--lexicon", tmp_path / "strong", "--metrics", "f1,ic15_word_spotting",
    )  # fmt: skip
    assert code == 0
    assert "ICDAR 2015 word spotting (W)" in out
    assert values(metrics) == {
        "f1": 80.0,
        "ic15_word_spotting": 0.0,
        "ic15_word_spotting_weak": 66.667,
        "ic15_word_spotting_generic": 66.667,
        "ic15_word_spotting_strong": 0.0,
    }


def test_cropped_words_are_scored_by_their_letters(tool: Tool, tmp_path: Path) -> None:
    """One image says "ab" and "abc" with nothing in between, the other "cab"."""
    pieces = [{"polygon": [[x, 0], [x + 9, 0], [x + 9, 9]], "text": text} for x, text in [(40, "a-BC"), (0, "ab")]]
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"first": pieces, "second": [{**pieces[0], "text": "cob"}]}))
    metrics = tmp_path / "m.yaml"
    arguments = ["--cropped-words", "--metrics", "f1", "--save-metrics-to", metrics]
    code, out, _ = tool("--from-predictions", path, *arguments)
    assert code == 0
    assert re.search(r"all characters +2 +0\.00 +25\.00\n", out)
    assert re.search(r"letters and digits +2 +50\.00 +12\.50\n", out)
    assert "  of 5-6 characters" in out
    assert values(metrics) == {"f1": 0.0, "word_accuracy": 50.0, "character_error_rate": 12.5}


def test_thresholds_are_found_on_one_set_and_applied_to_another(
    tool: Tool, dataset: list[str], predictions: Path, tmp_path: Path
) -> None:
    """On the search set the only word right has a score of 0.9 and a text score of 0.6, all false ones less."""
    place = {"polygon": [[0, 0], [40, 0], [40, 20], [0, 20]]}
    unsure = {"polygon": [[40, 20], [80, 20], [80, 40], [40, 40]], "text": "bad", "score": 0.9, "text_score": 0.5}
    false = {"polygon": [[0, 20], [9, 20], [9, 40], [0, 40]], "text": "false", "score": 0.62}
    search = tmp_path / "search.json"
    right = {**place, "text": "cab", "score": 0.9, "text_score": 0.6}
    search.write_text(json.dumps({"first": [unsure, false], "second": [right, false]}))
    flags = ["--search-ann-files", dataset[1], "--search-data-roots", dataset[3], "--search-predictions", search]
    saved = tmp_path / "saved.json"
    arguments = ["--thresholds", "search", *flags, "--save-predictions", saved]
    code, out, _ = tool("--from-predictions", search, *arguments)
    assert code == 0
    assert "detection 0.65, text 0.55" in out
    assert f"thresholds found on {dataset[1]} (2 images)" in out
    assert f"applied to {dataset[1]}" in out
    kept = {name: [one["text"] for one in words] for name, words in json.loads(saved.read_text()).items()}
    assert kept == {"first": [""], "second": ["cab"]}


@pytest.mark.parametrize(("flags", "detection"), [((), 0.0), (("--case-sensitive",), 0.55)])
def test_thresholds_are_searched_with_case_where_it_is_measured(
    tool: Tool, dataset: list[str], tmp_path: Path, flags: tuple[str, ...], detection: float
) -> None:
    """The unsure word is right but for its case: case apart it is worth keeping, with case it is a false alarm."""
    unsure = {"polygon": [[40, 20], [80, 20], [80, 40], [40, 40]], "text": "ABC", "score": 0.5}
    sure = {"polygon": [[0, 0], [40, 0], [40, 20], [0, 20]], "text": "cab", "score": 0.9}
    search = tmp_path / "search.json"
    search.write_text(json.dumps({"first": [unsure], "second": [sure]}))
    searched = ["--search-ann-files", dataset[1], "--search-data-roots", dataset[3], "--search-predictions", search]
    code, out, _ = tool("--from-predictions", search, "--thresholds", "search", *searched, *flags)
    assert code == 0
    assert f"detection {detection}, text 0.0;" in out


def test_given_thresholds_are_applied(tool: Tool, predictions: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    assert tool("--from-predictions", predictions, "--thresholds", "0.85,0", "--save-predictions", saved)[0] == 0
    assert [len(words) for words in json.loads(saved.read_text()).values()] == [1, 0]


@pytest.mark.slow
def test_lower_thresholds_bring_words_back_that_the_model_left_out(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    weights, saved = save_ir(tmp_path / "export"), tmp_path / "saved.json"
    assert tool("--load-weights", weights, "--thresholds", "0.05,0", "--save-predictions", saved)[0] == 0
    assert [len(words) for words in json.loads(saved.read_text()).values()] == [3, 3]


def test_a_run_is_compared_with_an_earlier_one_and_reported(tool: Tool, predictions: Path, tmp_path: Path) -> None:
    earlier = tmp_path / "earlier.json"
    earlier.write_text('{"first": [], "second": []}')
    code, out, _ = tool("--from-predictions", predictions, "--compare", earlier, "--report", tmp_path / "report")
    assert code == 0
    assert "2 words got better, 0 got worse" in out
    assert (tmp_path / "report" / "index.html").stat().st_size > 10_000


def test_images_without_predictions_are_named_and_scored_as_empty(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "res").mkdir()
    (tmp_path / "res" / "res_first.txt").write_text("0,0,40,0,40,20,0,20,ab\n")
    code, _, err = tool("--from-predictions", tmp_path / "res")
    assert code == 0
    assert err == f"warning: {tmp_path / 'res'}: 1 of 2 images have no predictions, scored as empty: second\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from-predictions", "{predictions}", "--metrics", "f1,mine"], "--metrics: no metric is called 'mine'"),
        (["--from-predictions", "nowhere.json"], "predictions nowhere.json do not exist"),
        (["--load-weights", "nowhere.pth"], "--load-weights: nowhere.pth does not exist"),
        (["--load-weights", "{predictions}"], "is of no known kind; expected a file ending in .pth"),
        (["--from-predictions", "{predictions}", "--lexicon", "none.txt"], "--lexicon: cannot read none.txt"),
        (["--from-predictions", "{predictions}", "--lexicon", "{empty}"], "no list for 2 of 2 images"),
        (["--from-predictions", "{predictions}", "--save-metrics-to", "{predictions}/m.yaml"], "cannot write"),
        (["--from-predictions", "{predictions}", "--save-metrics-to", "{list}"], "holds no mapping"),
        (["--from-predictions", "{predictions}", "--workers", "0"], "--workers 0: must be 1 or more"),
        (["--from-predictions", "{predictions}", "--thresholds", "high"], "expected 'search' or DETECTION,TEXT"),
        (["--from-predictions", "{predictions}", "--thresholds", "2,0"], "both must lie between 0 and 1"),
        (["--from-predictions", "{predictions}", "--thresholds", "search"], "search needs a set of its own"),
        (["--from-predictions", "{predictions}", "--report", "{predictions}"], "--report: cannot write"),
        (["--from-predictions", "{predictions}", "--compare", "gone.json"], "predictions gone.json do not exist"),
    ],
)  # fmt: skip
def test_what_the_user_can_mend_is_told_in_one_line(
    tool: Tool, predictions: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "list.yaml").write_text("- 1\n")
    places = {"predictions": predictions, "empty": tmp_path / "empty", "list": tmp_path / "list.yaml"}
    code, _, err = tool(*(argument.format(**places) for argument in arguments))
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_a_broken_image_is_named_and_costs_no_other(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    whole = (tmp_path / "second.png").read_bytes()
    for content in (b"no image", whole[: len(whole) // 2]):  # seen in its header, or only once it is decoded
        (tmp_path / "second.png").write_bytes(content)
        code, out, err = tool("--load-weights", save_onnx(tmp_path / "export"))
        assert code == 1
        assert "2 / 2 / 2" in out, "both words of the first image are found"
        assert "error: 1 files could not be read; the first: " in err and "second.png" in err


def test_a_set_without_a_word_that_counts_is_nothing_to_score(
    tmp_path: Path, predictions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "p.png"), np.zeros((40, 80, 3), np.uint8))
    words = [word(0, 0, 9, 9, ignore=True)]
    write_dataset(tmp_path / "none.json", [AnnotatedImage(tmp_path / "p.png", 80, 40, words)])
    flags = ["--test-ann-files", str(tmp_path / "none.json"), "--test-data-roots", str(tmp_path)]
    assert run_tool("eval", [*flags, "--from-predictions", str(predictions)]) == 2
    assert "nothing to score: none of the 1 words in 1 images counts" in capsys.readouterr().err


def test_a_precision_is_for_openvino_models(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    plain = save_onnx(tmp_path / "export")
    code, _, err = tool("--load-weights", plain, "--precision", "bf16")
    assert code == 2
    assert f"--precision: {plain} always computes in f32" in err


def test_weights_and_predictions_together_are_refused(dataset: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run_tool("eval", [*dataset, "--load-weights", "a.pth", "--from-predictions", "b.json"])
    assert stop.value.code == 2


def test_every_flag_that_decides_how_is_scored_is_on_its_page() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    _add_scoring(parser)
    flags = {action.option_strings[0] for action in parser._actions}
    page = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    assert {"--metrics", "--case-sensitive", "--lexicon"} < flags
    assert {flag for flag in flags if f"`{flag}" not in page} == set()


@pytest.mark.slow
def test_scoring_predictions_needs_no_torch_and_no_model_code(dataset: list[str], predictions: Path) -> None:
    blocked = ["torch", "mmengine", "mmcv", "mmdet", "openvino", "onnxruntime"]
    program = (
        f"import sys\nfor name in {blocked}: sys.modules[name] = None\n"
        "from text_spotting.cli.main import run_tool\nsys.exit(run_tool('eval', sys.argv[1:]))"
    )
    command = [sys.executable, "-c", program, *dataset, "--from-predictions", str(predictions)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "ICDAR 2015 end-to-end" in done.stdout
