"""Runs shown elsewhere: TensorBoard's pictures and hyper-parameters, MLflow, Weights & Biases, ClearML."""

from pathlib import Path
from typing import Any

import torch
from mmdet.registry import HOOKS
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import VISBACKENDS
from mmengine.runner import Runner

from text_spotting.draw import draw_words
from text_spotting.errors import require_package
from text_spotting.pictures import read_picture

TRACKERS = {"mlflow": "MLflowVisBackend", "wandb": "WandbVisBackend", "clearml": "ClearMLVisBackend"}
"""Trackers and mmengine's backends for them, each of which needs the package of that name."""

_SAMPLES = 4
_EVERY_STEP = 10
"""Steps at the start that are recorded one by one: short runs have no others."""


def require_tracker(name: str) -> None:
    """Find out before the work starts whether a tracker can be used.

    Raises:
        UserError: its package is not installed.
    """
    require_package(name, f"the tracker {name}")


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
    """Hands losses and figures to a tracker.

    Args:
        tracker: one of ``TRACKERS``.
        interval: steps between records of losses.
    """

    priority = "LOWEST"

    def __init__(self, tracker: str, interval: int = 10) -> None:
        self.tracker = tracker
        self.interval = interval

    def before_train(self, runner: Runner) -> None:
        if runner.rank:
            return
        self.backend: Any = VISBACKENDS.build({"type": TRACKERS[self.tracker], "save_dir": str(runner.work_dir)})
        self.backend.add_config(runner.cfg)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        if runner.rank == 0 and outputs and runner.iter % self.interval == 0:
            self.backend.add_scalars(_numbers("train", outputs), step=runner.iter)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        if runner.rank == 0 and metrics:
            self.backend.add_scalars(_numbers("val", metrics), step=runner.iter)

    def after_train(self, runner: Runner) -> None:
        if runner.rank == 0:
            self.backend.close()


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
        spotter = runner.val_loop.evaluator(getattr(runner.model, "module", runner.model))
        for number, annotated in enumerate(list(runner.val_loop.dataloader)[:_SAMPLES]):
            image = read_picture(annotated.path)
            drawn = draw_words(image, spotter(image))
            self.writer.add_image(f"readings/{number}", drawn[:, :, ::-1].copy(), runner.iter, dataformats="HWC")
        self.writer.flush()

    def after_train(self, runner: Runner) -> None:
        if runner.rank == 0:
            self.writer.close()


def _numbers(kind: str, values: dict[str, Any]) -> dict[str, float]:
    return {f"{kind}/{name}": float(torch.as_tensor(value).detach()) for name, value in values.items()}
