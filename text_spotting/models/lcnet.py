"""PP-LCNetV4, the light trunk that finds and reads words (PP-OCRv6, 2026, arXiv 2606.13108).

Each block mixes space with a depthwise convolution and channels with two pointwise ones. It stands here as it
runs, with every batch norm and parallel branch of its training merged into one convolution with bias.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Stride = tuple[int, int]


class Depthwise(nn.Conv2d):
    """Odd-sized convolution of each channel by itself that keeps the size, or divides it by the stride.

    On CPUs it trains in float32: the backward pass in bfloat16 is several times slower there.
    """

    def __init__(self, channels: int, kernel: int | tuple[int, int], stride: Stride = (1, 1)) -> None:
        sides = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (sides[0] // 2, sides[1] // 2)
        super().__init__(channels, channels, sides, stride, padding, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu" or not self.training:
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.float())


class SqueezeExcitation(nn.Module):
    """Scales each channel by what the mean over the image says of it (Hu et al. 2018, arXiv 1709.01507).

    Args:
        channels: of input and output.
        reduction: how many times fewer channels lie between.
        slope: of the hard sigmoid.
    """

    def __init__(self, channels: int, reduction: int = 4, slope: float = 1 / 6) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, channels // reduction, 1)
        self.expand = nn.Conv2d(channels // reduction, channels, 1)
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.reduce(x.mean(dim=(2, 3), keepdim=True)))
        return x * (self.expand(hidden) * self.slope + 0.5).clamp(0, 1)


class Block(nn.Module):
    """A depthwise convolution, squeeze-and-excitation where ``excite``, and two pointwise ones beside the identity."""

    def __init__(self, channels: int, excite: bool) -> None:
        super().__init__()
        self.space = Depthwise(channels, 3)
        self.excite = SqueezeExcitation(channels) if excite else nn.Identity()
        self.widen = nn.Conv2d(channels, channels * 2, 1)
        self.narrow = nn.Conv2d(channels * 2, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.excite(self.space(x))
        return x + self.narrow(F.gelu(self.widen(x)))


class Transition(nn.Module):
    """To a coarser map of other channels."""

    def __init__(self, channels_in: int, channels_out: int, stride: Stride) -> None:
        super().__init__()
        self.space = Depthwise(channels_in, 3, stride)
        self.widen = nn.Conv2d(channels_in, channels_out, 1)
        self.mix = nn.Conv2d(channels_out, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(F.gelu(self.widen(self.space(x))))


class Stem(nn.Module):
    """From pixels to a quarter of the size; two 2x2 convolutions run beside a maximum (PP-HGNetV2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pixels = nn.Conv2d(3, channels, 3, stride=2, padding=1)
        self.first = nn.Conv2d(channels, channels // 2, 2)
        self.second = nn.Conv2d(channels // 2, channels, 2)
        self.join = nn.Conv2d(channels * 2, channels, 3, stride=2, padding=1)
        self.widen = nn.Conv2d(channels, channels * 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.pixels(x))
        detail = F.relu(self.second(pad_end(F.relu(self.first(pad_end(x))))))
        x = torch.cat([F.max_pool2d(pad_end(x), 2, 1), detail], dim=1)
        return F.relu(self.widen(F.relu(self.join(x))))


def pad_end(x: Tensor) -> Tensor:
    """One more column and row of zeros, so that a 2x2 window keeps the size."""
    return F.pad(x, (0, 1, 0, 1))


class LCNetV4(nn.Module):
    """The trunk.

    Args:
        stem: channels of the stem.
        stages: for each stage, its channels and which of its blocks have squeeze-and-excitation.
        strides: (vertical, horizontal) stride between stages.
    """

    def __init__(self, stem: int, stages: Sequence[tuple[int, Sequence[bool]]], strides: Sequence[Stride]) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        before = 0
        for (channels, excited), stride in zip(stages, [(4, 4), *strides], strict=True):
            entry: nn.Module = Transition(before, channels, stride) if before else Stem(stem)
            self.stages.append(nn.Sequential(entry, *(Block(channels, excite) for excite in excited)))
            before = channels

    @property
    def pixels(self) -> nn.Conv2d:
        """The convolution that takes the image."""
        stem: Any = self.stages[0]
        return stem[0].pixels

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the map (N, C, h, w) after each stage."""
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps
