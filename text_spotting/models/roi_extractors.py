"""Where RoI features come from, beside mmdet's own extractor over pyramid levels."""

from collections.abc import Iterable

import torch
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor
from torch.nn import functional as F

from text_spotting.frames import SAMPLES


class Pyramid(tuple[Tensor, ...]):
    """Feature maps, finest first, that remember the image (N, 3, H, W) they were computed from."""

    image: Tensor

    @classmethod
    def of(cls, levels: Iterable[Tensor], image: Tensor) -> "Pyramid":
        pyramid = cls(levels)
        pyramid.image = image
        return pyramid

    def finest(self, levels: int) -> "Pyramid":
        """The first ``levels`` maps, still with their image."""
        return Pyramid.of(self[:levels], self.image)


@MODELS.register_module()
class RectifyingExtractor(BaseModule):
    """Pools words upright, straight from the normalised network input.

    Small words lose their strokes in feature maps of stride 4 and more; the pixels still have them, and
    cost nothing to compute.

    Args:
        output_size: height, width of a pooled word.
        sampling_ratio: samples per output pixel and axis.
        margin: what is read around a found word, as a share of its height.
    """

    out_channels = 3

    def __init__(self, output_size: tuple[int, int], sampling_ratio: int = SAMPLES, *, margin: float) -> None:
        super().__init__()
        self.output_size = tuple(output_size)
        self.sampling_ratio = sampling_ratio
        self.margin = margin

    def forward(self, pyramid: Pyramid, owners: Tensor, frames: Tensor) -> Tensor:
        """Frames (N, 3, 2) in images ``owners`` (N,), which come in order, to words (N, 3, height, width)."""
        words = [self.pool(image.unsqueeze(0), frames[owners == index]) for index, image in enumerate(pyramid.image)]
        return torch.cat(words)

    def pool(self, image: Tensor, frames: Tensor) -> Tensor:
        """Words (N, 3, height, width) in frames (N, 3, 2) of one image (1, 3, H, W); also what is exported."""
        rows, columns = self.output_size
        # grid_sample measures from -1 to 1 across the image.
        unit = 2 / frames.new_tensor([image.shape[3], image.shape[2]])
        corner, along, across = (side.view(-1, 1, 1, 2) for side in (frames * unit).unbind(dim=1))
        start = corner - 1
        pooled = []
        for part in range(self.sampling_ratio**2):
            down, right = divmod(part, self.sampling_ratio)
            ys = self._places(rows, down, frames).view(1, -1, 1, 1)
            xs = self._places(columns, right, frames).view(1, 1, -1, 1)
            points = start + xs * along + ys * across
            found = F.grid_sample(image, points.view(1, -1, columns, 2), padding_mode="border", align_corners=False)
            pooled.append(found.view(image.shape[1], -1, rows, columns).transpose(0, 1))
        return torch.stack(pooled).mean(dim=0)

    def _places(self, count: int, part: int, like: Tensor) -> Tensor:
        """Where along a side, 0..1, each cell is sampled."""
        cells = torch.arange(count, dtype=like.dtype, device=like.device)
        return (cells + (part + 0.5) / self.sampling_ratio) / count


def widen(frames: Tensor, margin: float) -> Tensor:
    """Frames (N, 3, 2) with ``margin`` times their height more on each side."""
    corner, along, across = frames.unbind(dim=1)
    height = across.norm(dim=1, keepdim=True)
    length = along.norm(dim=1, keepdim=True).clamp(min=_SHORTEST)
    more_along, more_across = along * (margin * height / length), across * margin
    return torch.stack([corner - more_along - more_across, along + 2 * more_along, across + 2 * more_across], dim=1)


_SHORTEST = 1e-3
