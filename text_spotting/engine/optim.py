"""Mixed precision on processors that multiply bfloat16."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmdet.registry import OPTIM_WRAPPERS
from mmengine.optim import OptimWrapper
from torch import nn


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Runs the forward pass under bfloat16 autocast; bfloat16 has float32's range, so no loss scaling."""

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        with super().optim_context(model), torch.autocast("cpu", dtype=torch.bfloat16):
            yield


def bfloat16_is_fast() -> bool:
    """Whether this processor has bfloat16 instructions, without which autocast slows training down."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
