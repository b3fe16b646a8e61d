"""Moving work on whole images into the first convolution's weights, where it is free.

Convolution is linear, and so are a color order, a division by the standard deviation and shrinking an image
bilinearly: each can be written as other weights with the same result.
"""

import copy
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


def fold_pixels(network: Any, order: Sequence[int], std: Sequence[float]) -> Any:
    """Return a copy that takes pixels less the mean, in the order and on the scale of raw images.

    Args:
        order: where each of the network's channels lies in the image.
        std: what each of the network's channels was divided by.
    """
    network = copy.deepcopy(network)
    first = _first_convolution(network)
    scaled = first.weight.detach() / torch.tensor(std).view(1, -1, 1, 1)
    first.weight = nn.Parameter(scaled[:, torch.tensor(order).argsort()])
    return network


def fold_downscale(network: Any) -> Any:
    """Return a copy whose first convolution shrinks the image on the way, where its stride stays a whole number.

    Sides must be multiples of ``downscale``. What lies outside of the image is zero before and after.
    """
    factor: float = getattr(network.backbone, "downscale", 1)
    stride = _first_convolution(network).stride[0] * factor
    if factor <= 1 or stride != int(stride):
        return network
    network = copy.deepcopy(network)
    first = _first_convolution(network)
    taps, padding = _resampled_taps(first.kernel_size[0], int(first.padding[0]), factor)
    taps = taps.to(first.weight)
    first.weight = nn.Parameter(torch.einsum("oikl,ky,lx->oiyx", first.weight.detach(), taps, taps))
    first.kernel_size, first.padding = (taps.shape[1],) * 2, (padding,) * 2
    first.stride = (int(stride),) * 2
    network.backbone.downscale = 1
    return network


def _resampled_taps(kernel: int, padding: int, factor: float) -> tuple[Tensor, int]:
    """Share (kernel, K) of each source pixel in each tap of a convolution on the shrunk image, and new padding."""
    places = [(tap - padding + 0.5) * factor - 0.5 for tap in range(kernel)]
    first = math.floor(places[0])
    taps = torch.zeros(kernel, math.floor(places[-1]) + 2 - first)
    for row, place in enumerate(places):
        left = math.floor(place)
        taps[row, left - first] = 1 - (place - left)
        taps[row, left + 1 - first] = place - left
    return taps, -first


def _first_convolution(network: Any) -> nn.Conv2d:
    return next(module for module in network.backbone.modules() if isinstance(module, nn.Conv2d))
