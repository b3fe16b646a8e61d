"""The learning rate range test: rates grow step by step until the loss runs away (Smith 2017, arXiv 1506.01186)."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import HOOKS
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from text_spotting.files.figures import write_figure

STEPS = 100
LOWEST, HIGHEST = 1e-6, 1.0
SMOOTHING = 0.9
"""Share of the mean so far in the smoothed loss."""
RUN_AWAY = 4.0
"""Times the least smoothed loss from which on the loss has run away."""
SAFETY = 10.0
"""The rate proposed is the one of the least loss, divided by this."""


class RangeTestDone(Exception):  # noqa: N818 - an answer, not an error
    """The test is over.

    Attributes:
        tried: rates and smoothed losses.
    """

    def __init__(self, tried: list[tuple[float, float]]) -> None:
        super().__init__("the test is over")
        self.tried = tried


def configure_range_test(config: Config) -> None:
    """Let a configuration do nothing but the test: no snapshots, no journal, no validation, no schedule."""
    config.custom_hooks = [{"type": "LearningRateTestHook"}]
    config.param_scheduler = None
    config.train_cfg.max_epochs = STEPS
    config.train_cfg.val_interval = STEPS + 1


@HOOKS.register_module()
class LearningRateTestHook(Hook):
    """Sets the rate before every step, and ends the run with ``RangeTestDone``."""

    def before_train(self, runner: Runner) -> None:
        groups = runner.optim_wrapper.param_groups
        base = max(group["lr"] for group in groups)
        self.shares = [group["lr"] / base for group in groups]
        self.losses: list[float] = []

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        for group, share in zip(runner.optim_wrapper.param_groups, self.shares, strict=True):
            group["lr"] = share * rate_of(len(self.losses))

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        self.losses.append(float(torch.as_tensor((outputs or {})["loss"]).detach()))
        smoothed = smooth(self.losses)
        over = len(smoothed) >= STEPS or not math.isfinite(smoothed[-1]) or smoothed[-1] > RUN_AWAY * min(smoothed)
        if over:
            raise RangeTestDone([(rate_of(step), loss) for step, loss in enumerate(smoothed)])


def rate_of(step: int) -> float:
    """The rate of a step: each is the same number of times the one before."""
    return float(LOWEST * (HIGHEST / LOWEST) ** (step / (STEPS - 1)))


def smooth(losses: Sequence[float]) -> list[float]:
    """Exponential means, corrected for their start as Adam's are."""
    mean, smoothed = 0.0, []
    for step, loss in enumerate(losses, start=1):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        smoothed.append(mean / (1 - SMOOTHING**step))
    return smoothed


def proposal(tried: Sequence[tuple[float, float]]) -> float:
    """A rate well below the one at which the loss was least, rounded to one digit."""
    finite = [(loss, rate) for rate, loss in tried if math.isfinite(loss)]
    rate = min(finite)[1] / SAFETY
    return float(f"{rate:.0e}")


def draw(tried: Sequence[tuple[float, float]], path: Path) -> None:
    """Draw the smoothed loss over the rate."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    axes.semilogx(*zip(*tried, strict=True))
    axes.axvline(proposal(tried), linestyle="--", color="gray")
    axes.set(xlabel="learning rate", ylabel="loss, smoothed", title=f"proposed: {proposal(tried):g}")
    write_figure(path, figure, dpi=110)
    pyplot.close(figure)
