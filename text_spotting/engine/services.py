"""Services that show runs: MLflow, Weights & Biases, ClearML.

They are called directly: docs/configuration.md says what is wrong with mmengine's backends for them.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from text_spotting.errors import require_package

PROJECT = "text-spotting"
"""What runs are filed under where the environment names nothing else."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a service is told at the start.

    Attributes:
        folder: that the run writes into.
        parameters: what distinguishes runs.
        config: the whole configuration.
        text: the same as a program.
    """

    folder: Path
    parameters: dict[str, float | str]
    config: dict[str, Any]
    text: str


class Service(Protocol):
    """One run, shown by a service."""

    def add(self, numbers: dict[str, float], step: int) -> None:
        """Show figures, named ``train/...`` and ``val/...``."""

    def close(self, finished: bool) -> None:
        """Send what has not been sent; a run that did not finish was stopped or broke off."""


class MLflow:
    """A run of MLflow, on the server of ``MLFLOW_TRACKING_URI`` or else in ``mlflow.db`` of the run's folder."""

    def __init__(self, run: Run) -> None:
        self._mlflow = require_package("mlflow", "the tracker mlflow")
        experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        if not os.environ.get("MLFLOW_TRACKING_URI"):
            self._keep_in(run.folder.resolve(), experiment)
        if not os.environ.get("MLFLOW_EXPERIMENT_ID"):
            self._mlflow.set_experiment(experiment)
        self._mlflow.start_run(run_name=run.folder.name)
        self._mlflow.log_params(run.parameters)
        self._mlflow.log_text(run.text, "model.py")

    def _keep_in(self, folder: Path, experiment: str) -> None:
        """In a data base, as MLflow from 3 on refuses plain files."""
        self._mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
        if self._mlflow.get_experiment_by_name(experiment) is None:
            self._mlflow.create_experiment(experiment, artifact_location=(folder / "mlartifacts").as_uri())

    def add(self, numbers: dict[str, float], step: int) -> None:
        self._mlflow.log_metrics(numbers, step=step)

    def close(self, finished: bool) -> None:
        self._mlflow.end_run("FINISHED" if finished else "KILLED")


class Wandb:
    """A run of Weights & Biases, whose files lie in ``wandb`` of the run's folder."""

    def __init__(self, run: Run) -> None:
        wandb = require_package("wandb", "the tracker wandb")
        project = os.environ.get("WANDB_PROJECT", PROJECT)
        self._run = wandb.init(dir=str(run.folder), project=project, config=run.config)

    def add(self, numbers: dict[str, float], step: int) -> None:
        self._run.log(numbers, step=step)

    def close(self, finished: bool) -> None:
        self._run.finish(exit_code=0 if finished else 1)


class ClearML:
    """A task of ClearML, which is told what others are and no more: no snapshots, no plots."""

    def __init__(self, run: Run) -> None:
        clearml = require_package("clearml", "the tracker clearml")
        self._task = clearml.Task.init(
            project_name=PROJECT, task_name=run.folder.name, reuse_last_task_id=False, auto_connect_frameworks=False
        )
        self._task.connect(dict(run.parameters))
        self._task.connect_configuration(run.config, name="model")

    def add(self, numbers: dict[str, float], step: int) -> None:
        logger = self._task.get_logger()
        for name, value in numbers.items():
            title, _, series = name.partition("/")
            logger.report_scalar(title=title, series=series, value=value, iteration=step)

    def close(self, finished: bool) -> None:
        if not finished:
            self._task.mark_stopped(status_message="stopped")
        self._task.close()
