"""Moving work on whole pictures into the first convolution's weights, where it is free.

Convolution is linear: a colour order and a division by the standard deviation can be written as other weights with
the same result.
"""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn


def fold_pixels(network: Any, order: Sequence[int], std: Sequence[float]) -> Any:
    """Return a copy that takes pixels less the mean, in the order and on the scale of raw pictures.

    Args:
        order: where each of the network's channels lies in the picture.
        std: what each of the network's channels was divided by.
    """
    network = copy.deepcopy(network)
    first = next(module for module in network.backbone.modules() if isinstance(module, nn.Conv2d))
    scaled = first.weight.detach() / torch.tensor(std).view(1, -1, 1, 1)
    first.weight = nn.Parameter(scaled[:, torch.tensor(order).argsort()])
    return network
