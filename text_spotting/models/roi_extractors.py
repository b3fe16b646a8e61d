"""Where RoI features come from, beside mmdet's own extractor over pyramid levels."""

from collections.abc import Iterable

from mmcv.ops import RoIAlign
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor


class Pyramid(tuple[Tensor, ...]):
    """Feature maps, finest first, that remember the picture (N, 3, H, W) they were computed from."""

    picture: Tensor

    @classmethod
    def of(cls, levels: Iterable[Tensor], picture: Tensor) -> "Pyramid":
        pyramid = cls(levels)
        pyramid.picture = picture
        return pyramid

    def finest(self, levels: int) -> "Pyramid":
        """The first ``levels`` maps, still with their picture."""
        return Pyramid.of(self[:levels], self.picture)


@MODELS.register_module()
class PictureRoIExtractor(BaseModule):
    """Pools RoIs straight from the normalised network input.

    Small words lose their strokes in feature maps of stride 4 and more; the pixels still have them, and
    cost nothing to compute.

    Args:
        output_size: height, width of a pooled word.
        sampling_ratio: samples per output pixel and axis; 0 adapts to the size of the RoI.
    """

    out_channels = 3

    def __init__(self, output_size: tuple[int, int], sampling_ratio: int = 0) -> None:
        super().__init__()
        self.roi_layers = [RoIAlign(tuple(output_size), 1.0, sampling_ratio, aligned=True)]
        self.num_inputs = 1

    def forward(self, pyramid: Pyramid, rois: Tensor) -> Tensor:
        """RoIs (N, 5: image index, x1, y1, x2, y2 in input pixels) to (N, 3, height, width)."""
        return self.roi_layers[0](pyramid.picture, rois.type_as(pyramid.picture))
