"""The journal of a training run and its curves."""

import json
import time
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import HOOKS
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner

from text_spotting.engine.curves import draw_curves


@HOOKS.register_module()
class JournalHook(Hook):
    """Writes losses, rates and figures to ``log.jsonl`` and TensorBoard, and draws ``curves.png``.

    It comes after the snapshots, which matter more where a disk is full.

    Args:
        interval: iterations that one record averages.
        tensorboard_dir: folder of the TensorBoard log; ``tf_logs`` in the work directory by default.
    """

    priority = "LOWEST"

    def __init__(self, interval: int = 10, tensorboard_dir: str | None = None) -> None:
        self.interval = interval
        self.tensorboard_dir = tensorboard_dir
        self.sums: dict[str, float] = {}
        self.count = 0
        self.writer: Any = None

    def before_run(self, runner: Runner) -> None:
        self.started = time.monotonic()
        self.path = Path(runner.work_dir) / "log.jsonl"
        if runner.rank:
            return
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(self.tensorboard_dir or str(Path(runner.work_dir) / "tf_logs"))
        if self.path.is_file() and self.path.read_bytes()[-1:] not in (b"", b"\n"):
            with self.path.open("a", encoding="utf-8") as file:
                file.write("\n")  # a crash cut the last line off

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        for name, value in (outputs or {}).items():
            self.sums[name] = self.sums.get(name, 0.0) + float(torch.as_tensor(value).detach())
        self.count += bool(outputs)
        if (runner.iter + 1) % self.interval or not self.count:
            return
        means = torch.tensor([total / self.count for total in self.sums.values()], dtype=torch.float64)
        all_reduce(means, op="mean")
        record = {name: round(float(mean), 5) for name, mean in zip(self.sums, means, strict=True)}
        record["lr"] = max(rate for rates in runner.optim_wrapper.get_lr().values() for rate in rates)
        self._write(runner, "train", record)
        self.sums, self.count = {}, 0

    def after_train_epoch(self, runner: Runner) -> None:
        self._draw(runner)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        if metrics:
            self._write(runner, "val", metrics)
            self._draw(runner)

    def after_train(self, runner: Runner) -> None:
        if self.writer:
            self.writer.close()

    def _draw(self, runner: Runner) -> None:
        if runner.rank == 0:
            draw_curves(self.path)

    def _write(self, runner: Runner, kind: str, values: dict[str, float]) -> None:
        if runner.rank:
            return
        iteration = runner.iter + (kind == "train")
        seconds = round(time.monotonic() - self.started, 1)
        record = {"kind": kind, "iter": iteration, "epoch": runner.epoch, "seconds": seconds, **values}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        for name, value in values.items():
            self.writer.add_scalar(f"{kind}/{name}", value, iteration)
        self.writer.flush()
