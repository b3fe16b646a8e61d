"""RoIAlign (He et al. 2017, arXiv 1703.06870): the mean of bilinear samples in each cell of a box.

Without torchvision, a cell is a weighted sum of feature vectors, and that is what an embedding bag computes: fast,
on all processors, and the same in every run, forward and backward.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from text_spotting.ops import vision


def roi_align(
    features: Tensor,
    rois: Tensor,
    size: tuple[int, int],
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Pool features (N, C, H, W) in boxes to (R, C, height, width).

    Args:
        rois: (R, 5) image's number, x1, y1, x2, y2.
        size: height, width of a pooled box, in cells.
        spatial_scale: what the boxes' unit is in cells of the feature map.
        sampling_ratio: samples per cell and axis; 0 takes one for each cell of the feature map that is touched.
        aligned: the centre of the first feature lies at 0.5, not at 0; narrow boxes are left as they are.
    """
    fast = vision.operators()
    if fast is not None:
        found: Tensor = fast.roi_align(features, rois, spatial_scale, *size, sampling_ratio, aligned)
        return found
    bags = _bags(rois, features.shape, size, spatial_scale, sampling_ratio, aligned)
    vectors = features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])
    pooled = F.embedding_bag(
        bags.places, vectors, bags.starts, mode="sum", per_sample_weights=bags.weights.to(vectors.dtype)
    )
    return pooled.view(len(rois), *size, features.shape[1]).permute(0, 3, 1, 2)


def roi_align_gradient(
    gradient: Tensor,
    rois: Tensor,
    shape: Sequence[int],
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """The gradient for the features (N, C, H, W), ``shape``, from that for what was pooled (R, C, height, width)."""
    size = (gradient.shape[2], gradient.shape[3])
    fast = vision.operators()
    if fast is not None:
        found: Tensor = fast._roi_align_backward(gradient, rois, spatial_scale, *size, *shape, sampling_ratio, aligned)
        return found
    bags = _bags(rois, shape, size, spatial_scale, sampling_ratio, aligned)
    images, channels, height, width = shape
    counts = torch.diff(bags.starts, append=bags.starts.new_tensor([len(bags.places)]))
    vectors: Tensor = torch.ops.aten._embedding_bag_dense_backward(
        gradient.permute(0, 2, 3, 1).reshape(-1, channels),
        bags.places,
        torch.repeat_interleave(counts),
        counts,
        counts,
        images * height * width,
        False,
        _SUM,
        bags.weights.to(gradient.dtype),
    )
    return vectors.view(images, height, width, channels).permute(0, 3, 1, 2)


_SUM = 0
"""How ``_embedding_bag_dense_backward`` calls the mode in which vectors are added up."""


class _Bags(NamedTuple):
    """For each cell of each box, row by row, which features make it up.

    Attributes:
        places: (S,) rows of the features as (N * H * W, C).
        weights: (S,) their shares.
        starts: (R * height * width,) where in them each cell begins.
    """

    places: Tensor
    weights: Tensor
    starts: Tensor


def _bags(
    rois: Tensor,
    shape: Sequence[int],
    size: tuple[int, int],
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> _Bags:
    """The samples of every cell, and the four features around each of them."""
    height, width = shape[2:]
    rois = rois.float()
    start = rois[:, 1:3] * spatial_scale - (0.5 if aligned else 0.0)
    extent = (rois[:, 3:5] - rois[:, 1:3]) * spatial_scale
    if not aligned:
        extent = extent.clamp(min=1.0)
    cell = extent / extent.new_tensor([size[1], size[0]])
    grid = torch.full_like(cell, sampling_ratio) if sampling_ratio > 0 else cell.ceil().clamp(min=0)
    across, down = grid.long().unbind(dim=1)
    samples = across * down
    ends = (samples * size[0] * size[1]).cumsum(dim=0)
    owner = torch.repeat_interleave(samples * size[0] * size[1])
    first = ends - samples * size[0] * size[1]
    index = torch.arange(len(owner), device=rois.device) - first[owner]
    number, part = index // samples[owner], index % samples[owner]

    def place(axis: int, cells: Tensor, parts: Tensor) -> Tensor:
        side = cell[owner, axis]
        return start[owner, axis] + cells * side + (parts + 0.5) * side / grid[owner, axis]

    x = _around(place(0, number % size[1], part % across[owner]), width)
    y = _around(place(1, number // size[1], part // across[owner]), height)
    image = (rois[:, 0].long() * (height * width))[owner]
    places = image[:, None, None] + y.indices[:, :, None] * width + x.indices[:, None, :]
    weights = y.weights[:, :, None] * x.weights[:, None, :] / samples[owner, None, None]
    cells = torch.arange(size[0] * size[1], device=rois.device)
    starts = 4 * (first[:, None] + cells * samples[:, None])
    return _Bags(places.flatten(), weights.flatten(), starts.flatten())


class _Neighbours(NamedTuple):
    """Along an axis, the features before and after each sample (S, 2), and their weights (S, 2)."""

    indices: Tensor
    weights: Tensor


def _around(positions: Tensor, length: int) -> _Neighbours:
    """Samples (S,) up to one feature outside take the outermost feature, those further out nothing."""
    inside = (positions >= -1.0) & (positions <= length)
    positions = positions.clamp(0, length - 1)
    before = positions.floor()
    share = positions - before
    after = (before + 1).clamp(max=length - 1)
    weights = torch.stack([1 - share, share], dim=1) * inside[:, None]
    return _Neighbours(torch.stack([before, after], dim=1).long(), weights)
