"""Mistakes on train.py's command line: one clear line, exit code 2, nothing written."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from text_spotting.cli.main import BAD_INPUT, TERMINATED, run_tool

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "model_templates" / "alphanumeric-text-spotting" / "text-spotting-0003-lite" / "template.yaml"
TOY = ROOT / "data" / "horizontal_text_detection"


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: Any) -> Path:
    folder = tmp_path_factory.mktemp("work") / "dir"
    assert run_tool("instantiate_template", [str(TEMPLATE), str(folder), "--do-not-load-snapshot"]) == 0
    return folder


def complaint(work_dir: Path, output: Path, monkeypatch: Any, capsys: Any, **changed: str) -> str:
    """What is said when a good command line is changed in some flags."""
    flags = {
        "train-ann-files": str(TOY / "annotation.json"),
        "train-data-roots": str(TOY),
        "val-ann-files": str(TOY / "annotation.json"),
        "val-data-roots": str(TOY),
        "save-checkpoints-to": str(output / "outputs"),
    }
    flags.update({name.replace("_", "-"): value for name, value in changed.items()})
    monkeypatch.setattr(sys, "argv", [str(work_dir / "train.py")])
    argv = [part for name, value in flags.items() for part in (f"--{name}", value)]
    capsys.readouterr()
    assert run_tool("train", argv) == BAD_INPUT
    assert not (output / "outputs").exists()
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return str(said)


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"epochs": "0"}, "--epochs 0: must be 1 or more"),
        ({"batch_size": "0"}, "--batch-size 0: must be 1 or more"),
        ({"base_learning_rate": "-1"}, "--base-learning-rate -1.0: must be above 0"),
        ({"early_stop": "-1"}, "--early-stop -1: must be 0 (never) or more"),
        (
            {"load_weights": "a.pth", "resume_from": "b.pth"},
            "--resume-from and --load-weights are two beginnings; give one",
        ),
        ({"load_weights": "nowhere.pth", "resume_from": ""}, "--load-weights: nowhere.pth does not exist"),
        ({"load_weights": "nowhere.pth"}, "--load-weights: nowhere.pth does not exist"),
        ({"resume_from": "nowhere.pth"}, "--resume-from: nowhere.pth does not exist"),
        ({"train_ann_files": "nowhere.json"}, "--train-ann-files: "),
        ({"val_data_roots": "a,b"}, "--val-ann-files: 1 annotation files"),
    ],
    ids=[
        *("no epochs", "empty batches", "a rate below 0", "no patience", "two beginnings", "an empty beginning beside"),
        *("no weights", "no state", "no annotation", "unequal lists"),
    ],
)
def test_mistakes_are_said_with_their_flag(
    work_dir: Path, tmp_path: Path, monkeypatch: Any, capsys: Any, changed: dict[str, str], wanted: str
) -> None:
    assert wanted in complaint(work_dir, tmp_path, monkeypatch, capsys, **changed)


def test_a_tracker_that_is_not_installed_is_told_with_how_to_get_it(
    work_dir: Path, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    said = complaint(work_dir, tmp_path, monkeypatch, capsys, tracker="wandb")
    assert said == "error: --tracker wandb needs the package wandb; install it: pip install wandb\n"


def test_a_snapshot_of_something_else_is_refused(work_dir: Path, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    (tmp_path / "cut.pth").write_bytes(b"PK\x03\x04 and then nothing")
    assert "cut.pth" in complaint(work_dir, tmp_path, monkeypatch, capsys, load_weights=str(tmp_path / "cut.pth"))


def test_an_output_that_cannot_be_made_is_named(work_dir: Path, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    (tmp_path / "file").write_text("in the way")
    torch.manual_seed(0)
    said = complaint(work_dir, tmp_path, monkeypatch, capsys, save_checkpoints_to=str(tmp_path / "file" / "outputs"))
    assert "--save-checkpoints-to: cannot write into" in said


def test_sigterm_in_a_library_that_catches_everything_is_still_an_end_and_no_bug(monkeypatch: Any, capsys: Any) -> None:
    """mmengine formats configurations under a bare ``except`` and then complains about their syntax."""

    def told_to_stop(_: Any) -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except:  # noqa: E722 - as mmengine has it
            raise SyntaxError("failed to format") from None

    monkeypatch.setattr("text_spotting.cli.eval.run", told_to_stop)
    monkeypatch.setattr("text_spotting.cli.eval.add_arguments", lambda _: None)
    assert run_tool("eval", []) == TERMINATED
    assert capsys.readouterr().err == "terminated\n"
