"""Optimizer steps: mixed precision on processors that multiply bfloat16, and none with numbers that are not finite."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmdet.registry import OPTIM_WRAPPERS
from mmengine.dist import all_reduce
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from torch import nn
from torch.nn.utils import get_total_norm

CHECKED = {"OptimWrapper": "CheckedOptimWrapper", "AmpOptimWrapper": "CheckedAmpOptimWrapper"}
"""What is used in the place of mmengine's own wrappers."""


class NotFiniteError(Exception):
    """A batch gave a loss or gradients that are not finite; the weights are as before it."""


class _Checked(OptimWrapper):
    """Raises ``NotFiniteError`` in place of a step that would spoil the weights, in all processes of a run alike."""

    def backward(self, loss: torch.Tensor, **kwargs: Any) -> None:
        self._last_loss = loss.detach()
        super().backward(loss, **kwargs)

    def step(self, **kwargs: Any) -> None:
        finite = torch.isfinite(self._last_loss).float()
        all_reduce(finite, op="min")
        if finite == 0:
            self._give_up("the loss is not finite")
        self.check_gradients()
        super().step(**kwargs)

    def check_gradients(self) -> None:
        """Gradients have been averaged over the processes, so that all come to the same conclusion."""
        gradients = [
            parameter.grad
            for group in self.optimizer.param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        if not torch.isfinite(get_total_norm(gradients)):
            self._give_up("the gradients are not finite")

    def _give_up(self, reason: str) -> None:
        self.optimizer.zero_grad()
        raise NotFiniteError(reason)


@OPTIM_WRAPPERS.register_module()
class CheckedOptimWrapper(_Checked):
    """Steps in float32."""


@OPTIM_WRAPPERS.register_module()
class CheckedAmpOptimWrapper(_Checked, AmpOptimWrapper):
    """Steps in float16; its scaler looks for overflowing gradients and passes over them itself."""

    def check_gradients(self) -> None:
        return


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(_Checked):
    """Runs the forward pass under bfloat16 autocast; bfloat16 has float32's range, so no loss scaling."""

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        with super().optim_context(model), torch.autocast("cpu", dtype=torch.bfloat16):
            yield


def bfloat16_is_fast() -> bool:
    """Whether this processor has bfloat16 instructions, without which autocast slows training down.

    oneDNN supports bfloat16 on every processor with AVX-512 and imitates it where there are none.
    """
    if platform.machine() in ("x86_64", "AMD64"):
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
