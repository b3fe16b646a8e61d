"""What happens beside training: snapshots that are saved, and the best that is kept."""

import os
import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from mmdet.registry import HOOKS
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner

from text_spotting.engine.checkpoints import read_snapshot, write_snapshot
from text_spotting.engine.state import training_state
from text_spotting.errors import UserError
from text_spotting.files.writing import write_whole

LATEST, BEST = "latest.pth", "best.pth"
Figures = tuple[float, float]
"""Word spotting, then detection, in %."""


@HOOKS.register_module()
class SnapshotHook(Hook):
    """Saves ``epoch_N.pth``, points ``latest.pth`` at it, and keeps the best as ``best.pth``.

    An epoch is saved as soon as it is trained, marked as still to be measured where a validation follows, and once
    more with its figures. So a run that is killed at any moment goes on with the same best as one that is not.

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
        self.best: Figures = (-1.0, -1.0)
        self.stop_signal = 0

    def before_run(self, runner: Runner) -> None:
        self.loop = runner.train_loop
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, self._ask_to_stop)

    def before_train(self, runner: Runner) -> None:
        if self.loop.validation_due:
            if runner.val_loop is not None:
                runner.val_loop.run()
            else:
                self._finish_epoch(runner)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self.loop.asked_to_stop:
            raise KeyboardInterrupt
        self.loop.asked_to_stop = True

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        late = runner.rank == 0 and time.monotonic() - self.saved >= self.seconds
        stop, save = any_of(self.loop.asked_to_stop, late)
        if not stop and not save:
            return
        # The loop counts the iteration after its hooks; the state must say that it is done.
        self.loop._iter += 1
        self._save(runner, LATEST)
        self.loop._iter -= 1
        if stop:
            runner.logger.info("stopped and saved; training can go on from %s/%s", runner.work_dir, LATEST)
            self.loop.saved_to_stop = True

    def after_train_epoch(self, runner: Runner) -> None:
        self.loop._epoch += 1
        if self.loop.validates_after(runner.epoch):
            self._save(runner, LATEST, validation_due=True)
        else:
            self._finish_epoch(runner)
        self.loop._epoch -= 1

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """By word spotting, then detection."""
        figures = (metrics["word_spotting"], metrics["f1"]) if metrics and "word_spotting" in metrics else self.best
        better = figures > self.best
        if better:
            self.best = figures
            # First, so that no other snapshot ever tells of a best one that is not there.
            self._save(runner, BEST)
        self._finish_epoch(runner, BEST if better else "")

    def _finish_epoch(self, runner: Runner, same: str = "") -> None:
        """Save a trained and measured epoch.

        Args:
            same: a snapshot of this moment, where there is one already.
        """
        self.loop.validation_due = False
        folder, epoch = Path(runner.work_dir), runner.epoch
        if epoch % self.interval and epoch < runner.max_epochs:
            self._save(runner, LATEST, same=same)
            return
        self._save(runner, f"epoch_{epoch}.pth", same=same)
        if runner.rank == 0:
            point_at(folder / LATEST, folder / f"epoch_{epoch}.pth")
            if self.keep:
                (folder / f"epoch_{epoch - self.keep * self.interval}.pth").unlink(missing_ok=True)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        checkpoint["best"] = list(self.best)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        self.best = max(figures_of(checkpoint), self._best_kept(Path(runner.work_dir) / BEST))

    def _best_kept(self, path: Path) -> Figures:
        """Figures of the ``best.pth`` that lies there already: no worse one may take its place."""
        try:
            return figures_of(read_snapshot(path)) if path.is_file() else self.best
        except (UserError, ValueError):
            return self.best

    def _save(self, runner: Runner, name: str, validation_due: bool = False, same: str = "") -> None:
        folder = Path(runner.work_dir)
        if same:
            if runner.rank == 0:
                write_whole(folder / name, lambda temporary: link_or_copy(folder / same, temporary))
            return
        state = training_state(runner, validation_due)
        if runner.rank == 0:
            write_snapshot(state, folder / name)
        self.saved = time.monotonic()


def figures_of(checkpoint: dict[str, Any]) -> Figures:
    """The best figures that a snapshot tells of.

    Raises:
        ValueError: they are no two numbers.
    """
    best = checkpoint.get("best", (-1.0, -1.0))
    if not isinstance(best, list | tuple) or len(best) != 2 or not all(isinstance(one, int | float) for one in best):
        raise ValueError("'best' does not hold two numbers")
    return float(best[0]), float(best[1])


def any_of(*own: bool) -> list[bool]:
    """Which of these hold in at least one process."""
    flags = torch.tensor(own, dtype=torch.float32)
    all_reduce(flags, op="max")
    return [bool(flag) for flag in flags]


def link_or_copy(source: Path, path: Path) -> None:
    """Give a file a second name where the disk can do that; copy it where not."""
    path.unlink(missing_ok=True)
    try:
        os.link(source, path)
    except OSError:
        path.write_bytes(source.read_bytes())


def point_at(link: Path, target: Path) -> None:
    """Make ``link`` a relative symbolic link to its neighbour ``target``, in one step."""
    temporary = link.with_name(f".{link.name}.link.tmp")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target.name)
    temporary.replace(link)
