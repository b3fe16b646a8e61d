"""From the features of a word's RoI to what the decoder attends over."""

from collections.abc import Sequence

import torch
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from text_spotting.models.lcnet import Depthwise, LCNetV4
from text_spotting.models.ppocr import RECOGNISER, fill, model_file, take_pixels, weights_in_order


@MODELS.register_module()
class TextEncoder(BaseModule):
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

    def columns(self, x: Tensor) -> Tensor:
        """What CTC reads: (N, channels[-1], 1, w'), the mean of each column."""
        return self.both(x)[1]

    def both(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What ``forward`` and ``columns`` return, computed once."""
        encoded = self(x)
        return encoded, encoded.mean(dim=2, keepdim=True)


def kaiming_conv(in_channels: int, out_channels: int, stride: tuple[int, int]) -> nn.Conv2d:
    """3x3 convolution with fan-out initialisation and zero bias."""
    conv = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
    return conv


@MODELS.register_module()
class LightSVTREncoder(BaseModule):
    """PP-LCNetV4 with a little attention between the columns of a word (PP-OCRv6, 2026, arXiv 2606.13108).

    Args:
        columns: columns of an encoded word, a quarter of its width in pixels.
        channels: of an encoded word.
        heads: of attention.
        pretrained: start from the recogniser of PP-OCRv6.
        mean, std: how the pixels that come in were normalised, in RGB order on the 0..255 scale.

    Maps words (N, 3, h, w) to (N, channels, 1, w / 4).
    """

    in_channels = 3

    def __init__(
        self,
        columns: int,
        channels: int = 120,
        heads: int = 8,
        pretrained: bool = False,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        std: Sequence[float] = (1.0, 1.0, 1.0),
    ) -> None:
        super().__init__()
        self.trunk = LCNetV4(48, RECOGNISER_STAGES, [(2, 1), (2, 1)])
        width = RECOGNISER_STAGES[-1][0]
        self.beside = nn.Conv2d(width, channels, 1)
        self.enter = nn.Conv2d(width, channels, 1)
        self.local = Depthwise(channels, (1, 7))
        self.mixers = nn.Sequential(*(ColumnMixer(channels, heads) for _ in range(2)))
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        # OpenVINO 2026.4 computes a norm with neither scale nor shift wrongly before a transpose, at fixed shapes.
        nn.init.normal_(self.norm.bias, std=0.01)
        self.position = nn.Parameter(torch.empty(1, channels, 1, columns).normal_(std=0.1))
        self.out_channels = channels
        self.pretrained = pretrained
        self.pixels = (mean, std)

    def init_weights(self) -> None:
        if not self.pretrained:
            return
        weights = iter(weights_in_order(model_file(RECOGNISER)))
        for part in (self.trunk, self.beside, self.enter, self.local, self.mixers, self.norm):
            fill(part, weights)
        take_pixels(self.trunk.pixels, (127.5,) * 3, (127.5,) * 3, *self.pixels)

    def forward(self, x: Tensor) -> Tensor:
        return self.columns(x) + self.position

    def both(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What ``forward`` and ``columns`` return, computed once."""
        columns = self.columns(x)
        return columns + self.position, columns

    def columns(self, x: Tensor) -> Tensor:
        """The same without the places that attention needs, so that words of any width come in."""
        x = self.trunk(x)[-1].mean(dim=2, keepdim=True)
        columns = F.silu(self.enter(x))
        columns = columns + F.silu(self.local(columns))
        mixed = self.norm(self.mixers(columns.squeeze(2).transpose(1, 2)))
        return mixed.transpose(1, 2).unsqueeze(2) + F.silu(self.beside(x))


RECOGNISER_STAGES = ((96, (True, False, False)), (192, (True, False) * 3), (384, (True, False)))


class ColumnMixer(nn.Module):
    """Self-attention and a perceptron, each on normalised input and beside the identity."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, channels * 3)
        self.project = nn.Linear(channels, channels)
        self.norm_perceptron = nn.LayerNorm(channels)
        self.widen = nn.Linear(channels, channels * 2)
        self.narrow = nn.Linear(channels * 2, channels)
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor:
        """(N, L, C) to the same."""
        x = x + self.project(self._attend(self.norm_attention(x)))
        return x + self.narrow(F.silu(self.widen(self.norm_perceptron(x))))

    def _attend(self, x: Tensor) -> Tensor:
        length, channels = x.shape[1:]
        split = self.qkv(x).reshape(-1, length, 3, self.heads, channels // self.heads)
        queries, keys, values = split.permute(2, 0, 3, 1, 4).unbind(0)
        scale = (channels // self.heads) ** -0.5
        weights = (queries * scale @ keys.transpose(2, 3)).softmax(dim=-1)
        return (weights @ values).transpose(1, 2).reshape(-1, length, channels)
