"""From the features of a word's RoI to what the decoder attends over."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class TextEncoder(nn.Module):
    """A stack of 3x3 convolutions, each with batch norm and ReLU.

    Args:
        in_channels: channels of the RoI features.
        channels: output channels of each convolution.
        strides: (vertical, horizontal) stride of each convolution.
        position_shape: height, width of a learned position embedding that is added at the end, or None.

    Maps (N, in_channels, h, w) to (N, channels[-1], h', w').
    """

    def __init__(
        self,
        in_channels: int,
        channels: Sequence[int],
        strides: Sequence[tuple[int, int]],
        position_shape: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for out_channels, stride in zip(channels, strides, strict=True):
            layers += [
                kaiming_conv(in_channels, out_channels, stride),
                nn.BatchNorm2d(out_channels),
                nn.ReLU(inplace=True),
            ]
            in_channels = out_channels
        self.layers = nn.Sequential(*layers)
        self.out_channels = in_channels
        self.position = None if position_shape is None else nn.Parameter(torch.empty(1, in_channels, *position_shape))
        if self.position is not None:
            nn.init.normal_(self.position, std=0.1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layers(x)
        return x if self.position is None else x + self.position


def kaiming_conv(in_channels: int, out_channels: int, stride: tuple[int, int]) -> nn.Conv2d:
    """3x3 convolution with fan-out initialisation and zero bias."""
    conv = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
    return conv
