"""train.py's command line: what it makes of model.py; a mistake is one clear line, exit code 2, nothing written."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from text_spotting.cli.main import BAD_INPUT, TERMINATED, run_tool
from text_spotting.errors import UserError

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "model_templates" / "alphanumeric-text-spotting" / "text-spotting-0003-lite" / "template.yaml"
TOY = ROOT / "data" / "horizontal_text_detection"


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work") / "dir"
    assert run_tool("instantiate_template", [str(TEMPLATE), str(folder), "--do-not-load-snapshot"]) == 0
    return folder


GOOD = {
    "train-ann-files": str(TOY / "annotation.json"),
    "train-data-roots": str(TOY),
    "val-ann-files": str(TOY / "annotation.json"),
    "val-data-roots": str(TOY),
}
PHOTOS = {"type": "PhotoSource", "ann_files": str(TOY / "annotation.json"), "data_roots": str(TOY)}


def arguments(flags: dict[str, str]) -> list[str]:
    return [part for name, value in flags.items() for part in (f"--{name}", value)]


def complaint(work_dir: Path, output: Path, monkeypatch: Any, capsys: Any, **changed: str) -> str:
    """What is said when a good command line is changed in some flags."""
    flags = {**GOOD, "save-checkpoints-to": str(output / "outputs")}
    flags.update({name.replace("_", "-"): value for name, value in changed.items()})
    monkeypatch.setattr(sys, "argv", [str(work_dir / "train.py")])
    capsys.readouterr()
    assert run_tool("train", arguments(flags)) == BAD_INPUT
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
        ({"skip_bad_batches": "-1"}, "--skip-bad-batches -1: must be 0 or more"),
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
        *("no epochs", "empty batches", "a rate below 0", "less than no bad batch", "no patience"),
        *("two beginnings", "an empty beginning beside"),
        *("no weights", "no state", "no annotation", "unequal lists"),
    ],
)
def test_mistakes_are_said_with_their_flag(
    work_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, str],
    wanted: str,
) -> None:
    assert wanted in complaint(work_dir, tmp_path, monkeypatch, capsys, **changed)


Configured = Callable[..., Any]


@pytest.fixture
def configured(work_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configured:
    """The configuration that a run would begin with, of lines at the end of model.py and of flags."""

    def of(lines: str, **flags: str) -> Any:
        seen: list[Any] = []

        def no_runner(config: Any, *_: Any) -> Any:
            seen.append(config)
            raise UserError("seen")

        monkeypatch.setattr("text_spotting.engine.train.build_runner", no_runner)
        monkeypatch.setattr(sys, "argv", [str(work_dir / "train.py")])
        (tmp_path / "mine.py").write_text((work_dir / "model.py").read_text() + lines)
        own = {"config": str(tmp_path / "mine.py"), "save-checkpoints-to": str(tmp_path / "outputs")}
        given = {name.replace("_", "-"): value for name, value in flags.items()}
        assert run_tool("train", arguments({**GOOD, **own, **given})) == BAD_INPUT
        return seen[0]

    return of


def test_data_sets_of_model_py_stand_beside_those_of_the_flags(configured: Configured) -> None:
    rendered = "train_dataloader['dataset']['sources'] = [dict(type='SyntheticSource', length=9, size=(64, 64))]\n"
    loader = configured(rendered, batch_size="20").train_dataloader
    photos, own = loader.dataset.sources
    assert photos == PHOTOS
    assert (own.type, own.length) == ("SyntheticSource", 9)
    assert own.alphabet == loader.dataset.alphabet, "it renders what is read"
    assert loader.batch_size == 20, "there are more images than the 16 of the flags"


def test_a_template_trains_on_the_flags_data_sets_alone(configured: Configured) -> None:
    loader = configured("", batch_size="20").train_dataloader
    assert loader.dataset.sources == [PHOTOS]
    assert loader.batch_size == 16, "so many images are there"


def test_the_configuration_of_a_run_makes_the_same_run_again(configured: Configured) -> None:
    again = configured(f"train_dataloader['dataset']['sources'] = [{PHOTOS!r}]\n")
    assert again.train_dataloader.dataset.sources == [PHOTOS]


def test_bad_batches_that_model_py_lets_pass_are_passed_over_unless_the_flag_says_otherwise(
    configured: Configured,
) -> None:
    mine = "train_cfg['skip_bad_batches'] = 3\n"
    assert configured(mine).train_cfg.skip_bad_batches == 3
    assert configured(mine, skip_bad_batches="0").train_cfg.skip_bad_batches == 0
    assert configured("").train_cfg.skip_bad_batches == 0


def boards(config: Any) -> list[Any]:
    """TensorBoard folders of the hooks that write there."""
    hooks = (hook for hook in config.custom_hooks if hook.type in ("JournalHook", "BoardHook"))
    return [hook.get("tensorboard_dir") for hook in hooks]


def test_a_tensorboard_folder_of_model_py_stays_unless_the_flag_names_another(configured: Configured) -> None:
    mine = "custom_hooks = [dict(type='SnapshotHook'), dict(type='JournalHook', tensorboard_dir='mine')]\n"
    assert boards(configured(mine)) == ["mine", "mine"]
    assert boards(configured(mine, tensorboard_dir="given")) == ["given", "given"]
    assert boards(configured("")) == [None, None], "beside the checkpoints"


@pytest.mark.parametrize(
    ("lines", "flags", "origin"),
    [("", {"gpu_num": "3"}, "flag"), ("gpu_num = 3\n", {}, "model.py")],
    ids=["by the flag", "by model.py"],
)
def test_gpus_that_are_not_there_are_told_with_who_asked_for_them(
    configured: Configured,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lines: str,
    flags: dict[str, str],
    origin: str,
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    configured(lines, **flags)
    assert f"warning: gpu num 3 ({origin}), but 0 GPUs are at hand; training on the CPU" in capsys.readouterr().out


def test_a_tracker_that_is_not_installed_is_told_with_how_to_get_it(
    work_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    said = complaint(work_dir, tmp_path, monkeypatch, capsys, tracker="wandb")
    assert said == "error: --tracker wandb needs the package wandb; install it: pip install wandb\n"


def test_a_snapshot_of_something_else_is_refused(
    work_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cut.pth").write_bytes(b"PK\x03\x04 and then nothing")
    assert "cut.pth" in complaint(work_dir, tmp_path, monkeypatch, capsys, load_weights=str(tmp_path / "cut.pth"))


def test_an_output_that_cannot_be_made_is_named(
    work_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    torch.manual_seed(0)
    said = complaint(work_dir, tmp_path, monkeypatch, capsys, save_checkpoints_to=str(tmp_path / "file" / "outputs"))
    assert "--save-checkpoints-to: cannot write into" in said


def test_sigterm_in_a_library_that_catches_everything_is_still_an_end_and_no_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
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
