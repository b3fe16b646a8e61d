"""What sees the whole image: the trunk that finds words, and its pyramid."""

from collections.abc import Sequence

from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from text_spotting.models.lcnet import Depthwise, LCNetV4, SqueezeExcitation
from text_spotting.models.ppocr import DETECTOR, fill, model_file, take_pixels, weights_in_order

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)
STEM = 24
STAGES = tuple((channels, (True, False) * pairs) for channels, pairs in ((48, 1), (96, 1), (192, 2), (384, 1)))


@MODELS.register_module()
class TextBackbone(BaseModule):
    """PP-LCNetV4 as the detector of PP-OCRv6 has it (2026, arXiv 2606.13108).

    Args:
        downscale: shrink the image by this factor first. The detector then works on fewer pixels while
            other branches still see the full image; every stride grows by the factor.
        frozen_stages: number of leading stages that do not train; the stem belongs to the first.
        pretrained: start from the detector of PP-OCRv6.

    Returns four maps with 48, 96, 192 and 384 channels at ``downscale`` times strides 4, 8, 16 and 32.
    """

    def __init__(self, downscale: float = 1, frozen_stages: int = 0, pretrained: bool = False) -> None:
        super().__init__()
        self.downscale = downscale
        self.frozen_stages = frozen_stages
        self.pretrained = pretrained
        self.trunk = LCNetV4(STEM, STAGES, [(2, 2)] * 3)
        for stage in self.trunk.stages[:frozen_stages]:
            stage.requires_grad_(False)

    def init_weights(self) -> None:
        if not self.pretrained:
            return
        fill(self.trunk, iter(weights_in_order(model_file(DETECTOR))))
        # PaddleOCR gives images in BGR order the statistics of RGB.
        take_pixels(self.trunk.pixels, IMAGENET_MEAN, IMAGENET_STD, IMAGENET_MEAN, IMAGENET_STD)

    def forward(self, x: Tensor) -> list[Tensor]:
        if self.downscale > 1:
            x = F.interpolate(x, scale_factor=1 / self.downscale, mode="bilinear")
        return self.trunk(x)


@MODELS.register_module()
class LargeKernelFPN(BaseModule):
    """Feature pyramid with squeeze-and-excitation beside and large depthwise kernels behind (RepLKFPN of PP-OCRv6).

    Args:
        in_channels: of the backbone's maps, finest first.
        out_channels: of each level.
        inner_channels: of the maps that are added up.
        pretrained: start from the pyramid of PP-OCRv6, all but the last convolution of each level.

    One level more than there are maps comes out, the last at twice the stride.
    """

    def __init__(
        self, in_channels: Sequence[int], out_channels: int, inner_channels: int = 96, pretrained: bool = False
    ) -> None:
        super().__init__()
        # Coarsest first, as they run.
        self.lateral = nn.ModuleList(Lateral(channels, inner_channels) for channels in reversed(in_channels))
        self.smooth = nn.ModuleList(Depthwise(inner_channels, 7) for _ in in_channels)
        self.out = nn.ModuleList(
            nn.Sequential(nn.Conv2d(inner_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels))
            for _ in in_channels
        )
        self.pretrained = pretrained

    def init_weights(self) -> None:
        for layer in self.out.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
        if not self.pretrained:
            return
        weights = iter(weights_in_order(model_file(DETECTOR)))
        fill(LCNetV4(STEM, STAGES, [(2, 2)] * 3), weights)
        for lateral in self.lateral:
            fill(lateral, weights)
        for smooth in self.smooth:
            fill(smooth, weights)
            # Behind it the packaged network has a narrower convolution with an excitation of its own.
            for _ in range(5):
                next(weights)

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
        levels: list[Tensor] = []
        summed: Tensor | None = None
        for lateral, smooth, out, level in zip(self.lateral, self.smooth, self.out, reversed(maps), strict=True):
            own = lateral(level)
            summed = own if summed is None else own + F.interpolate(summed, scale_factor=2.0, mode="nearest")
            levels.insert(0, out(smooth(summed)))
        levels.append(F.max_pool2d(levels[-1], 1, stride=2))
        return tuple(levels)


class Lateral(nn.Module):
    """A pointwise convolution, and squeeze-and-excitation beside the identity."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(channels_in, channels_out, 1, bias=False)
        self.excite = SqueezeExcitation(channels_out, slope=0.2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.narrow(x)
        return x + self.excite(x)
