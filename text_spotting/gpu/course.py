"""The course of a training run that is given a time rather than a number of steps."""

import copy
import math
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


class Course:
    """Steps until the time is over; rates rise, stay, and fall as a cosine of the share of time that has passed.

    Args:
        network: what is trained.
        groups: parameter groups with ``lr``, the highest rate of each.
        seconds: how long to train.
        state: file that keeps everything needed to go on; where it exists, the run goes on from there.
        momentum: share by which the moving average of the weights takes over new ones at each step.
        weight_decay: of AdamW.
    """

    def __init__(
        self,
        network: nn.Module,
        groups: list[dict[str, Any]],
        seconds: float,
        state: Path,
        momentum: float = 0.001,
        weight_decay: float = 0.01,
    ) -> None:
        self.network = network
        self.groups = [group["lr"] for group in groups]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=weight_decay)
        self.average = copy.deepcopy(network).eval().requires_grad_(False)
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
        """Yield the share of time that has passed, 0 to 1, once a step."""
        while (share := self.passed / self._given()) < 1:
            rate = min(1.0, (self.steps + 1) / _WARM_UP) * (_LEAST + (1 - _LEAST) * (1 + math.cos(math.pi * share)) / 2)
            for group, highest in zip(self.optimizer.param_groups, self.groups, strict=True):
                group["lr"] = highest * rate
            yield share
            if time.monotonic() - self.saved > _MINUTES * 60:
                self.save()
        self.save()

    def _given(self) -> float:
        """Seconds in all; a file beside the state, ``STATE.seconds``, may change them while the run goes on."""
        wish = self.state.with_suffix(".seconds")
        if self.steps % 20 == 0 and wish.is_file():
            self.seconds = float(wish.read_text())
        return self.seconds

    def step(self, loss: Tensor, most: float = 10.0) -> bool:
        """Move by the gradient of a loss; False, and nothing moved, where it is not finite."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), most)
        self.steps += 1
        # One look at the card a step, and none at the loss.
        if not bool(torch.isfinite(norm)):
            return False
        self.optimizer.step()
        self._average()
        return True

    @torch.no_grad()
    def _average(self) -> None:
        share = max(self.momentum, 1 / (self.steps + 1))
        own, new = self.average.state_dict(), self.network.state_dict()
        floats = [name for name, value in own.items() if value.is_floating_point()]
        torch._foreach_lerp_([own[name] for name in floats], [new[name].float() for name in floats], share)

    def save(self) -> None:
        """Keep the whole state, in one piece or not at all."""
        self.state.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.state.with_suffix(".part")
        torch.save(
            {
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "steps": self.steps,
                "seconds": self.passed,
            },
            temporary,
        )
        temporary.replace(self.state)
        self.saved = time.monotonic()

    def _resume(self) -> None:
        kept = torch.load(self.state, map_location="cpu", weights_only=True)
        self.network.load_state_dict(kept["network"])
        self.average.load_state_dict(kept["average"])
        self.optimizer.load_state_dict(kept["optimizer"])
        self.steps, self.before = kept["steps"], kept["seconds"]


_WARM_UP = 200
_LEAST = 0.01
_MINUTES = 1.5


def by_rate(network: nn.Module, rates: Iterable[tuple[str, float]], usual: float) -> list[dict[str, Any]]:
    """Parameter groups: ``rates`` names parts, by how names begin, and their learning rates; the first that fits holds."""
    rates = list(rates)
    found: dict[float, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        rate = next((rate for part, rate in rates if name.startswith(part)), usual)
        found.setdefault(rate, []).append(parameter)
    return [{"params": parameters, "lr": rate} for rate, parameters in found.items() if rate > 0]
