"""What a training run shows on the console: a line now and then; everything else goes to the log file."""

import logging
import time
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

import text_spotting

_OURS = str(Path(text_spotting.__file__).parent)


def quieten(logger: logging.Logger) -> None:
    """Keep the framework's own information, such as the configuration of some 400 lines, for the log file."""
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            handler.addFilter(_is_worth_showing)


def _is_worth_showing(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.pathname.startswith(_OURS)


@HOOKS.register_module()
class ConsoleHook(Hook):
    """Tells every few seconds how far training is: loss, words a second, time to go.

    Args:
        seconds: between two lines.
    """

    priority = "LOW"

    def __init__(self, seconds: float = 10.0) -> None:
        self.seconds = seconds

    def before_train(self, runner: Runner) -> None:
        self.started = self.told = time.monotonic()
        self.first = self.last = runner.iter
        self.words = 0
        self.losses: list[float] = []

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        self.words += count_words(data_batch)
        if outputs and "loss" in outputs:
            self.losses.append(float(torch.as_tensor(outputs["loss"]).detach()))
        now = time.monotonic()
        done, last = runner.iter + 1, runner.iter + 1 >= runner.max_iters
        if runner.rank or (now - self.told < self.seconds and not last):
            return
        loss = sum(self.losses) / max(len(self.losses), 1)
        left = (runner.max_iters - done) * (now - self.started) / max(done - self.first, 1)
        runner.logger.info(
            "epoch %d of %d, step %d of %d: loss %.3f, %.3g words/s, %s to go",
            *(runner.epoch + 1, runner.max_epochs, done, runner.max_iters, loss),
            *(self.words / max(now - self.told, 1e-3), clock(left)),
        )
        self.told, self.words, self.losses = now, 0, []


def count_words(batch: Any) -> int:
    """Words of a batch: annotated ones of whole images, or one for each crop."""
    if not isinstance(batch, dict):
        return 0
    if samples := batch.get("data_samples"):
        return sum(len(sample.gt_instances) for sample in samples)
    return len(batch.get("inputs", ()))


def clock(seconds: float) -> str:
    """``1:02:03``, ``2:03`` or ``0:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
