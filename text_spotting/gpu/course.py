"""The course of a training run that is given a time rather than a number of steps."""

import contextlib
import copy
import io
import logging
import math
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from text_spotting.engine.checkpoints import load_some_weights, load_weights, read_snapshot, weights_it_can_lack
from text_spotting.engine.symbols import carry_over
from text_spotting.errors import UserError
from text_spotting.files.writing import write_whole

LOGGER = logging.getLogger(__name__)
MOMENTUM = 0.001
"""Usual share by which a moving average takes over new weights at each step: it is over some 1000 steps."""
_WARM_UP = 200
"""Steps until rates are full."""
_LEAST = 0.01
"""Share of the highest rate that is left at the end."""
_MINUTES = 1.5
"""Between two savings of the state."""


class Course:
    """Steps until the time is over; rates rise, stay, and fall as a cosine of the share of time that has passed.

    Args:
        network: what is trained.
        groups: parameter groups with ``lr``, the highest rate of each.
        seconds: how long to train.
        state: file that keeps everything needed to go on; where it exists, the run goes on from there. Random numbers
            are not kept: a run that goes on sees other data than one that was never interrupted.
        momentum: share by which the moving average of the weights takes over new ones at each step.
        weight_decay: of AdamW.
    """

    def __init__(
        self,
        network: nn.Module,
        groups: list[dict[str, Any]],
        seconds: float,
        state: Path,
        momentum: float = MOMENTUM,
        weight_decay: float = 0.01,
    ) -> None:
        self.network = network
        self.groups = [group["lr"] for group in groups]
        fused = all(parameter.is_cuda for parameter in network.parameters())
        self.optimizer = torch.optim.AdamW(groups, weight_decay=weight_decay, fused=fused)
        self.average = copy.deepcopy(network).eval().requires_grad_(False)
        own, new = self.average.state_dict(), network.state_dict()
        floats = [name for name, value in own.items() if value.is_floating_point()]
        self._averaged = [own[name] for name in floats], [new[name] for name in floats]
        self.seconds = seconds
        self.state = state
        self.momentum = momentum
        self.steps = 0
        self.before = 0.0
        self.started = time.monotonic()
        self.saved = self.started
        if state.is_file():
            self._resume()

    @property
    def passed(self) -> float:
        """Seconds trained so far, those before an interruption included."""
        return self.before + time.monotonic() - self.started

    def __iter__(self) -> Iterator[float]:
        """Yield the share of time that has passed, 0 to 1, once a step; the time begins here."""
        self.started = time.monotonic()
        while (passed := self.passed) < (given := self._given()):
            share = passed / given
            rate = min(1.0, (self.steps + 1) / _WARM_UP) * (_LEAST + (1 - _LEAST) * (1 + math.cos(math.pi * share)) / 2)
            for group, highest in zip(self.optimizer.param_groups, self.groups, strict=True):
                group["lr"] = highest * rate
            yield share
            if time.monotonic() - self.saved > _MINUTES * 60:
                self.save()
        self.save()

    def _given(self) -> float:
        """Seconds in all; a file beside the state, ``STATE.seconds``, may change them while the run goes on."""
        with contextlib.suppress(FileNotFoundError, ValueError):  # no wish, or one that is being written
            self.seconds = float(self.state.with_suffix(".seconds").read_text())
        return self.seconds

    def step(self, loss: Tensor, most: float = 10.0) -> bool:
        """Move by the gradient of a loss, its norm cut to ``most``; False, and no weight moved, if it is not finite."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), most)
        self.steps += 1
        # One look at the card a step, and none at the loss.
        if not bool(torch.isfinite(norm)):
            LOGGER.warning("step %d: the gradient is not finite, left out", self.steps)
            return False
        self.optimizer.step()
        self._average()
        return True

    @torch.no_grad()
    def _average(self) -> None:
        own, new = self._averaged
        torch._foreach_lerp_(own, new, max(self.momentum, 1 / (self.steps + 1)))

    def save(self) -> None:
        """Keep the whole state, in one piece or not at all.

        Raises:
            UserError: the place cannot be written, or the disk is full; the state before is still there.
        """
        written = io.BytesIO()  # torch.save hides what the system says when a disk is full
        torch.save(
            {
                "state_dict": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "steps": self.steps,
                "seconds": self.passed,
            },
            written,
        )
        write_whole(self.state, lambda temporary: temporary.write_bytes(written.getbuffer()))
        self.saved = time.monotonic()

    def _resume(self) -> None:
        kept = read_state(self.state)
        for network, name in ((self.network, "state_dict"), (self.average, "average")):
            differing = network.load_state_dict(kept[name], strict=False)
            lacking = set(differing.missing_keys) - weights_it_can_lack(network, kept[name])
            if wrong := sorted({*lacking, *differing.unexpected_keys}):
                raise UserError(f"{self.state} is the state of another network: it differs in {wrong[0]}")
        try:
            self.optimizer.load_state_dict(kept["optimizer"])
        except ValueError as error:
            raise UserError(f"{self.state} is the state of a run in which other parts learned ({error})") from error
        self.steps, self.before = kept["steps"], kept["seconds"]


def begin(network: nn.Module, weights: Path, partial: bool) -> None:
    """Load a snapshot into a network that is to be trained; one of another alphabet gives all but new symbols' rows.

    Args:
        partial: let the snapshot lack parts of the network; what begins at random then is told.

    Raises:
        UserError: the snapshot is missing, damaged, of another network, or lacks parts that it may not lack.
    """
    snapshot, carried = carry_over(network, read_snapshot(weights))
    if carried:
        LOGGER.info("%s reads another alphabet; %s", weights, carried)
    if not partial:
        load_weights(network, snapshot, weights)
    elif missing := load_some_weights(network, snapshot, weights):
        LOGGER.info("%s lacks %s: they begin at random", weights, missing)


def read_state(path: Path) -> dict[str, Any]:
    """What ``Course.save`` kept, on the CPU.

    Raises:
        UserError: missing, or something else.
    """
    kept = read_snapshot(path)
    if missing := {"state_dict", "average", "optimizer", "steps", "seconds"} - set(kept):
        raise UserError(f"{path} is not the state of a run on a card: it lacks {', '.join(sorted(missing))}")
    return kept


class Tally:
    """Losses summed on the card and told every so many steps.

    Args:
        every: steps.
        amount: what a step takes, and ``unit`` its name, for the speed that is told.
    """

    def __init__(self, every: int, amount: int, unit: str) -> None:
        self.every, self.amount, self.unit = every, amount, unit
        self._clear()

    def _clear(self) -> None:
        self.started, self.count = time.monotonic(), 0
        self.sums: dict[str, Tensor] = {}

    def __call__(self, share: float, step: int, losses: dict[str, Tensor], held: str) -> None:
        """Add a step's losses; ``share`` of the time has passed, and ``held`` says what is learned from."""
        self.count += 1
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0) + value.detach()
        if self.count < self.every:
            return
        means = ", ".join(f"{name} {float(total) / self.count:.4f}" for name, total in self.sums.items())
        speed = self.count * self.amount / (time.monotonic() - self.started)
        LOGGER.info("%3.0f %% step %d, %.1f %s/s: %s; %s", 100 * share, step, speed, self.unit, means, held)
        self._clear()


def by_rate(network: nn.Module, rates: Iterable[tuple[str, float]], usual: float) -> list[dict[str, Any]]:
    """Parameter groups by learning rate; parts of rate 0 are left out.

    Args:
        rates: how names of parameters begin, and the rate of these; the first that fits holds.
        usual: the rate of all others.
    """
    rates = list(rates)
    found: dict[float, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        rate = next((rate for part, rate in rates if name.startswith(part)), usual)
        found.setdefault(rate, []).append(parameter)
    return [{"params": parameters, "lr": rate} for rate, parameters in found.items() if rate > 0]
