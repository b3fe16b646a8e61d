"""Moving work on whole pictures into the first convolution's weights, where it is free.

Convolution is linear: a colour order, a division by the standard deviation and an average over pixels before it can
each be written as other weights with the same result.
"""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class WidenedConv(nn.Module):
    """An average over ``factor`` x ``factor`` pixels and the convolution behind it, as one convolution.

    Averaging three-channel pictures costs more time than the convolution itself; a kernel ``factor`` times as wide
    whose weights repeat costs none.
    """

    def __init__(self, conv: nn.Conv2d, factor: int) -> None:
        super().__init__()
        spread = conv.weight.detach().repeat_interleave(factor, 2).repeat_interleave(factor, 3)
        self.weight = nn.Parameter(spread / factor**2)
        self.stride = tuple(step * factor for step in conv.stride)
        self.padding = tuple(int(side) * factor for side in conv.padding)
        self.border = [side * factor for side in getattr(conv, "border", ())] if conv.stride[0] > 1 else []

    def forward(self, x: Tensor) -> Tensor:
        if self.border:
            x = F.pad(x, self.border)
        return F.conv2d(x, self.weight, stride=self.stride, padding=self.padding)


def fold_downscale(network: Any) -> Any:
    """Return the network, or a copy whose backbone no longer averages pixels before its first convolution."""
    factor = getattr(network.backbone, "downscale", 1)
    if factor == 1:
        return network
    network = copy.deepcopy(network)
    stem = network.backbone.stages[0]
    stem[0] = WidenedConv(stem[0], factor)
    network.backbone.downscale = 1
    return network


def fold_pixels(network: Any, order: Sequence[int], std: Sequence[float]) -> Any:
    """Return a copy that takes pixels less the mean, in the order and on the scale of raw pictures.

    Args:
        order: where each of the network's channels lies in the picture.
        std: what each of the network's channels was divided by.
    """
    network = copy.deepcopy(network)
    first = next(module for module in network.backbone.modules() if isinstance(module, nn.Conv2d | WidenedConv))
    scaled = first.weight.detach() / torch.tensor(std).view(1, -1, 1, 1)
    first.weight = nn.Parameter(scaled[:, torch.tensor(order).argsort()])
    return network
