"""Runs shown elsewhere: TensorBoard's images and hyper-parameters, MLflow, Weights & Biases, ClearML."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import HOOKS
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from text_spotting.draw import draw_words
from text_spotting.engine.services import ClearML, MLflow, Run, Service, Wandb
from text_spotting.engine.state import network_of
from text_spotting.errors import UserError
from text_spotting.image_files import read_image

TRACKERS: dict[str, Callable[[Run], Service]] = {"mlflow": MLflow, "wandb": Wandb, "clearml": ClearML}
"""The trackers, each of which needs the package of that name."""

LOGGER = logging.getLogger(__name__)
_SAMPLES = 4
_EVERY_STEP = 10
"""Steps at the start that are recorded one by one: short runs have no others."""


def hyper_parameters(config: Config) -> dict[str, float | str]:
    """What distinguishes runs."""
    optimizer = config.optim_wrapper.optimizer
    return {
        "learning rate": float(optimizer.lr),
        "optimizer": str(optimizer.type),
        "batch size": int(config.train_dataloader.batch_size),
        "epochs": int(config.train_cfg.max_epochs),
        "seed": int(config.get("seed") or 0),
        "precision": str(config.optim_wrapper.get("type", "OptimWrapper")),
    }


@HOOKS.register_module()
class TrackerHook(Hook):
    """Hands losses and figures to a service; one that fails on the way is left alone, and training goes on.

    Args:
        tracker: one of ``TRACKERS``.
        interval: steps between records of losses; the first steps are recorded one by one.
    """

    priority = "LOWEST"

    def __init__(self, tracker: str, interval: int = 10) -> None:
        self.tracker = tracker
        self.interval = interval
        self.service: Service | None = None

    def before_train(self, runner: Runner) -> None:
        """Begin.

        Raises:
            UserError: the service cannot be used as it is set up here.
        """
        if runner.rank:
            return
        run = Run(
            Path(runner.work_dir), hyper_parameters(runner.cfg), runner.cfg.to_dict(), str(runner.cfg.pretty_text)
        )
        try:
            self.service = TRACKERS[self.tracker](run)
        except UserError:
            raise
        except Exception as error:  # each has exceptions of its own
            raise UserError(f"{self.tracker} does not start: {_one_line(error)}", about="tracker") from error
        self.until = runner.iter + _EVERY_STEP

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        step = runner.iter + 1
        if self.service and outputs and (step <= self.until or step % self.interval == 0):
            self._add(_numbers("train", outputs), step)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        if metrics:
            self._add(_numbers("val", metrics), runner.iter)

    def after_train(self, runner: Runner) -> None:
        self.end(finished=True)

    def end(self, finished: bool = False) -> None:
        """Close, unless that has been done."""
        service, self.service = self.service, None
        if service is None:
            return
        try:
            service.close(finished)
        except Exception as error:
            self._warn(error)

    def _add(self, numbers: dict[str, float], step: int) -> None:
        if self.service is None:
            return
        try:
            self.service.add(numbers, step)
        except Exception as error:
            self._warn(error)
            self.service = None

    def _warn(self, error: Exception) -> None:
        LOGGER.warning("the tracker %s is told no more: %s", self.tracker, _one_line(error))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


@HOOKS.register_module()
class BoardHook(Hook):
    """Adds to TensorBoard what scalars do not tell: hyper-parameters, and validation images with their readings.

    The first steps are recorded one by one, so that short runs have curves too.

    Args:
        tensorboard_dir: folder of the TensorBoard log; ``tf_logs`` in the work directory by default.
    """

    priority = "LOWEST"

    def __init__(self, tensorboard_dir: str | None = None) -> None:
        self.tensorboard_dir = tensorboard_dir

    def before_train(self, runner: Runner) -> None:
        if runner.rank:
            return
        from torch.utils.tensorboard import SummaryWriter
        from torch.utils.tensorboard.summary import hparams

        self.writer = SummaryWriter(self.tensorboard_dir or str(Path(runner.work_dir) / "tf_logs"))
        known = hyper_parameters(runner.cfg)
        events: Any = self.writer.file_writer
        for summary in hparams(known, {"val/word_spotting": 0.0}):
            events.add_summary(summary)
        rows = [f"| {name} | {value} |" for name, value in known.items()]
        self.writer.add_text("hyper-parameters", "\n".join(["| | |", "|---|---|", *rows]))
        self.until = runner.iter + _EVERY_STEP

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        if runner.rank == 0 and outputs and runner.iter < self.until:
            for name, value in _numbers("train", outputs).items():
                self.writer.add_scalar(name, value, runner.iter + 1)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        if runner.rank or not hasattr(self, "writer"):
            return
        spotter = runner.val_loop.evaluator(network_of(runner))
        for number, annotated in enumerate(list(runner.val_loop.dataloader)[:_SAMPLES]):
            image = read_image(annotated.path)
            drawn = draw_words(image, spotter(image))
            self.writer.add_image(f"readings/{number}", drawn[:, :, ::-1].copy(), runner.iter, dataformats="HWC")
        self.writer.flush()

    def after_train(self, runner: Runner) -> None:
        if runner.rank == 0:
            self.writer.close()


def _numbers(kind: str, values: dict[str, Any]) -> dict[str, float]:
    return {f"{kind}/{name}": float(torch.as_tensor(value).detach()) for name, value in values.items()}
