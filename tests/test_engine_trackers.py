"""Runs arrive at MLflow, Weights & Biases and ClearML: at stand-ins for them, and at the packages where installed."""

import importlib.util
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, call

import pytest
import torch
from mmengine.config import Config

from text_spotting.cli import train
from text_spotting.engine import trackers
from text_spotting.engine.services import ClearML, MLflow, Run, Wandb
from text_spotting.engine.trackers import TrackerHook
from text_spotting.errors import UserError

CONFIG = Config(
    {
        "optim_wrapper": {"optimizer": {"type": "AdamW", "lr": 0.5}},
        "train_dataloader": {"batch_size": 2},
        "train_cfg": {"max_epochs": 3},
    }
)


def run_in(folder: Path) -> Run:
    return Run(folder, {"epochs": 3}, {"seed": 0}, "seed = 0\n")


class Recorder:
    """A service that keeps what it is told."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.seen: list[tuple[int, dict[str, float]]] = []
        self.closed: list[bool] = []

    def add(self, numbers: dict[str, float], step: int) -> None:
        self.seen.append((step, numbers))

    def close(self, finished: bool) -> None:
        self.closed.append(finished)


class Runner:
    """As much of a runner as the hook looks at."""

    rank, iter, cfg = 0, 0, CONFIG

    def __init__(self, work_dir: Path) -> None:
        self.work_dir = str(work_dir)


def test_the_tool_offers_the_services_that_there_are() -> None:
    assert tuple(trackers.TRACKERS) == train.TRACKERS


def hook_with(service: Any, monkeypatch: pytest.MonkeyPatch, **arguments: int) -> TrackerHook:
    monkeypatch.setitem(trackers.TRACKERS, "wandb", service)
    return TrackerHook("wandb", **arguments)


def steps(hook: TrackerHook, runner: Any, count: int) -> None:
    for _ in range(count):
        hook.after_train_iter(runner, 0, outputs={"loss": torch.tensor(1.5)})
        runner.iter += 1


def test_the_first_ten_steps_then_every_tenth_and_all_validations_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook, runner = hook_with(Recorder, monkeypatch), Runner(tmp_path)
    hook.before_train(runner)
    recorder: Any = hook.service
    steps(hook, runner, 25)
    hook.after_val_epoch(runner, {"f1": 0.5})
    hook.after_train(runner)
    hook.end()
    assert [step for step, _ in recorder.seen] == [*range(1, 11), 20, 25]
    assert recorder.seen[0] == (1, {"train/loss": 1.5}) and recorder.seen[-1] == (25, {"val/f1": 0.5})
    assert recorder.run.parameters["learning rate"] == 0.5 and recorder.run.config["train_cfg"] == {"max_epochs": 3}
    assert "max_epochs=3" in recorder.run.text
    assert recorder.closed == [True], "once"


def test_only_the_first_process_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hook, runner = hook_with(Recorder, monkeypatch), Runner(tmp_path)
    runner.rank = 1
    hook.before_train(runner)
    steps(hook, runner, 1)
    hook.after_train(runner)
    assert hook.service is None


def test_a_run_that_was_stopped_is_closed_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = hook_with(Recorder, monkeypatch)
    hook.before_train(Runner(tmp_path))
    recorder: Any = hook.service
    hook.end()
    assert recorder.closed == [False]


def test_training_goes_on_without_a_service_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Recorder):
        def add(self, numbers: dict[str, float], step: int) -> None:
            raise ConnectionError("the server\nhas left")

    hook, runner = hook_with(Failing, monkeypatch), Runner(tmp_path)
    hook.before_train(runner)
    steps(hook, runner, 3)
    hook.after_val_epoch(runner, {"f1": 0.5})
    hook.after_train(runner)
    assert caplog.messages == ["the tracker wandb is told no more: the server has left"]


def test_a_service_that_is_not_set_up_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Run) -> Recorder:
        raise RuntimeError("no API key.\n\nLog in")

    with pytest.raises(UserError, match=r"^wandb does not start: no API key\. Log in$"):
        hook_with(refuse, monkeypatch).before_train(Runner(tmp_path))


@pytest.mark.parametrize("service", [MLflow, Wandb, ClearML])
def test_a_missing_package_is_told_with_how_to_install_it(
    service: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = service.__name__.lower()
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(
        UserError, match=f"^the tracker {name} needs the package {name}; install it: pip install {name}$"
    ):
        hook_with(service, monkeypatch).before_train(Runner(tmp_path))


def stand_in(name: str, monkeypatch: pytest.MonkeyPatch) -> MagicMock:
    module = MagicMock()
    monkeypatch.setitem(sys.modules, name, module)
    for variable in list(os.environ):
        if variable.startswith(name.upper()):
            monkeypatch.delenv(variable)
    return module


def test_mlflow_keeps_a_run_beside_its_snapshots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = stand_in("mlflow", monkeypatch)
    mlflow.get_experiment_by_name.return_value = None
    run = MLflow(run_in(tmp_path))
    run.add({"val/f1": 0.5}, 7)
    run.close(finished=False)
    assert mlflow.method_calls == [
        call.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}"),
        call.get_experiment_by_name("text-spotting"),
        call.create_experiment("text-spotting", artifact_location=f"file://{tmp_path / 'mlartifacts'}"),
        call.set_experiment("text-spotting"),
        call.start_run(run_name=tmp_path.name),
        call.log_params({"epochs": 3}),
        call.log_text("seed = 0\n", "model.py"),
        call.log_metrics({"val/f1": 0.5}, step=7),
        call.end_run("KILLED"),
    ]


def test_mlflow_is_told_on_the_server_and_in_the_experiment_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = stand_in("mlflow", monkeypatch)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5000")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "signs")
    MLflow(run_in(tmp_path))
    assert mlflow.method_calls[0] == call.set_experiment("signs")


def test_wandb_is_told_each_figure_with_its_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = stand_in("wandb", monkeypatch)
    run = Wandb(run_in(tmp_path))
    run.add({"val/f1": 0.5}, 7)
    run.close(finished=True)
    assert wandb.mock_calls == [
        call.init(dir=str(tmp_path), project="text-spotting", config={"seed": 0}),
        call.init().log({"val/f1": 0.5}, step=7),
        call.init().finish(exit_code=0),
    ]


def test_clearml_is_told_losses_and_figures_as_curves_of_two_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = stand_in("clearml", monkeypatch).Task.init.return_value
    run = ClearML(run_in(tmp_path))
    run.add({"train/loss": 1.5, "val/f1": 0.5}, 7)
    run.close(finished=True)
    assert task.connect.mock_calls == [call({"epochs": 3})]
    assert task.connect_configuration.mock_calls == [call({"seed": 0}, name="model")]
    assert task.get_logger().report_scalar.mock_calls == [
        call(title="train", series="loss", value=1.5, iteration=7),
        call(title="val", series="f1", value=0.5, iteration=7),
    ]
    assert task.close.called and not task.mark_stopped.called


_SHOW = """
import sys
from pathlib import Path
from text_spotting.engine.services import Run
from text_spotting.engine.trackers import TRACKERS

service = TRACKERS[sys.argv[1]](Run(Path(sys.argv[2]), {"epochs": 3}, {"seed": 0, "odd": [{"a": None}]}, "seed = 0"))
for step in (1, 2):
    service.add({"train/loss": 2.5 / step}, step)
service.add({"val/f1": 0.5}, 2)
service.close(finished=True)
"""


def show_with_the_package(name: str, folder: Path) -> None:
    """Run ``_SHOW`` in a process of its own, without a server."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    own = {key: value for key, value in os.environ.items() if not key.startswith(name.upper())}
    offline = {"WANDB_MODE": "offline", "CLEARML_OFFLINE_MODE": "1", "CLEARML_CACHE_DIR": str(folder)}
    told = subprocess.run(
        [sys.executable, "-c", _SHOW, name, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**own, **offline, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert told.returncode == 0, told.stderr


@pytest.mark.slow
def test_mlflow_itself_has_the_run_in_its_data_base(tmp_path: Path) -> None:
    show_with_the_package("mlflow", tmp_path)
    with sqlite3.connect(tmp_path / "mlflow.db") as base:
        assert base.execute("SELECT status, name FROM runs").fetchall() == [("FINISHED", tmp_path.name)]
        assert base.execute("SELECT key, value FROM params").fetchall() == [("epochs", "3")]
        told = base.execute("SELECT key, step, value FROM metrics ORDER BY key, step").fetchall()
    assert told == [("train/loss", 1, 2.5), ("train/loss", 2, 1.25), ("val/f1", 2, 0.5)]
    (text,) = (tmp_path / "mlartifacts").rglob("model.py")
    assert text.read_text() == "seed = 0"


@pytest.mark.slow
def test_wandb_itself_has_the_run_in_its_folder(tmp_path: Path) -> None:
    show_with_the_package("wandb", tmp_path)
    (log,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    content = log.read_bytes()
    for part in (b"train/loss", b"1.25", b"val/f1", b"odd", b"_step"):
        assert part in content


@pytest.mark.slow
def test_clearml_itself_has_the_task_in_its_cache(tmp_path: Path) -> None:
    show_with_the_package("clearml", tmp_path)
    (log,) = tmp_path.rglob("metrics.jsonl")
    told = [event for line in log.read_text().splitlines() for event in json.loads(line)]
    assert [(one["metric"], one["variant"], one["iter"], one["value"]) for one in told] == [
        ("train", "loss", 1, 2.5),
        ("train", "loss", 2, 1.25),
        ("val", "f1", 2, 0.5),
    ]
    task = json.loads(log.with_name("task.json").read_text())
    assert task["project_name"] == "text-spotting" and "seed = 0" in task["configuration"]["model"]["value"]
    assert task["hyperparams"]["General"]["epochs"]["value"] == "3"
