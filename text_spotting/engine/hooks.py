"""What happens beside training: snapshots, the journal and its curves."""

import json
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

from text_spotting.engine.checkpoints import training_state, write_snapshot
from text_spotting.engine.curves import draw_curves


class Interrupted(KeyboardInterrupt):
    """Training was asked to stop and has saved its state."""


@HOOKS.register_module()
class SnapshotHook(Hook):
    """Saves ``epoch_N.pth``, points ``latest.pth`` at it, and keeps the best as ``best.pth``.

    SIGINT (Ctrl-C) and SIGTERM let the current iteration finish, save and end.

    Args:
        interval: epochs between ``epoch_N.pth``.
        keep: how many of them to keep, the newest; all when 0.
        minutes: save ``latest.pth`` within an epoch that often, too.
    """

    priority = "VERY_LOW"

    def __init__(self, interval: int = 1, keep: int = 0, minutes: float = 10.0) -> None:
        self.interval = interval
        self.keep = keep
        self.seconds = minutes * 60
        self.saved = time.monotonic()
        self.best: tuple[float, float] = (-1.0, -1.0)
        self.stop_signal = 0

    def before_train(self, runner: Runner) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask_to_stop)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self.stop_signal:
            raise KeyboardInterrupt
        self.stop_signal = number

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        if not self.stop_signal and time.monotonic() - self.saved < self.seconds:
            return
        # The loop counts the iteration after its hooks; the state must say that it is done.
        runner.train_loop._iter += 1
        self._save(runner, Path(runner.work_dir) / "latest.pth")
        runner.train_loop._iter -= 1
        if self.stop_signal:
            runner.logger.info("stopped and saved; continue with --resume-from %s/latest.pth", runner.work_dir)
            raise Interrupted

    def after_train_epoch(self, runner: Runner) -> None:
        epoch = runner.epoch + 1
        if epoch % self.interval and epoch < runner.max_epochs:
            return
        runner.train_loop._epoch += 1
        path = Path(runner.work_dir) / f"epoch_{epoch}.pth"
        self._save(runner, path)
        runner.train_loop._epoch -= 1
        point_at(Path(runner.work_dir) / "latest.pth", path)
        if self.keep:
            Path(runner.work_dir, f"epoch_{epoch - self.keep * self.interval}.pth").unlink(missing_ok=True)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """By word spotting, then detection."""
        if not metrics or "word_spotting" not in metrics:
            return
        figures = metrics["word_spotting"], metrics["f1"]
        if figures > self.best:
            self.best = figures
            self._save(runner, Path(runner.work_dir) / "best.pth")

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        checkpoint["best"] = list(self.best)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        word_spotting, f1 = checkpoint.get("best", self.best)
        self.best = word_spotting, f1

    def _save(self, runner: Runner, path: Path) -> None:
        if runner.rank == 0:
            write_snapshot(training_state(runner), path)
        self.saved = time.monotonic()


def point_at(link: Path, target: Path) -> None:
    """Make ``link`` a relative symbolic link to its neighbour ``target``, in one step."""
    temporary = link.with_name(f".{link.name}.link")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target.name)
    temporary.replace(link)


@HOOKS.register_module()
class JournalHook(Hook):
    """Writes losses, rates and figures to ``log.jsonl`` and TensorBoard, and draws ``curves.png``.

    Args:
        interval: iterations that one record averages.
        tensorboard_dir: folder of the TensorBoard log; ``tf_logs`` in the work directory by default.
    """

    def __init__(self, interval: int = 10, tensorboard_dir: str | None = None) -> None:
        self.interval = interval
        self.tensorboard_dir = tensorboard_dir
        self.sums: dict[str, float] = {}
        self.count = 0

    def before_train(self, runner: Runner) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.started = time.monotonic()
        self.path = Path(runner.work_dir) / "log.jsonl"
        self.writer = SummaryWriter(self.tensorboard_dir or str(Path(runner.work_dir) / "tf_logs"))

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        for name, value in (outputs or {}).items():
            self.sums[name] = self.sums.get(name, 0.0) + float(torch.as_tensor(value).detach())
        self.count += 1
        if (runner.iter + 1) % self.interval:
            return
        record = {name: round(total / self.count, 5) for name, total in self.sums.items()}
        record["lr"] = max(rate for rates in runner.optim_wrapper.get_lr().values() for rate in rates)
        self._write(runner, "train", record)
        self.sums, self.count = {}, 0

    def after_train_epoch(self, runner: Runner) -> None:
        draw_curves(self.path)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        if metrics:
            self._write(runner, "val", metrics)
            draw_curves(self.path)

    def after_train(self, runner: Runner) -> None:
        self.writer.close()

    def _write(self, runner: Runner, kind: str, values: dict[str, float]) -> None:
        iteration = runner.iter + (kind == "train")
        seconds = round(time.monotonic() - self.started, 1)
        record = {"kind": kind, "iter": iteration, "epoch": runner.epoch, "seconds": seconds, **values}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        for name, value in values.items():
            self.writer.add_scalar(f"{kind}/{name}", value, iteration)
