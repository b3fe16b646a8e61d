"""Pretrained weights from the small models of PP-OCRv6 (2026, arXiv 2606.13108; Apache 2.0, PaddlePaddle authors).

The pip package ``rapidocr`` carries them as ONNX files. Their layers come in the order in which they run, ours are
declared in that order, so that weights are paired by order and checked by shape.
"""

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from text_spotting.errors import UserError

DETECTOR = "PP-OCRv6_det_small.onnx"
RECOGNISER = "PP-OCRv6_rec_small.onnx"
RAPIDOCR = "rapidocr==3.10.0"
"""What pip installs to have them."""
_NORM_EPSILON = 1e-5


def model_file(name: str) -> Path:
    """Where the package keeps a model; the package itself is not loaded.

    Raises:
        UserError: the package is not installed, or without this model.
    """
    package = importlib.util.find_spec("rapidocr")
    if package is None or not package.submodule_search_locations:
        raise UserError(
            f"the recipe starts from weights in the package rapidocr; install it: pip install --no-deps {RAPIDOCR}"
        )
    path = Path(package.submodule_search_locations[0]) / "models" / name
    if not path.is_file():
        raise UserError(f"{path} does not exist: this version of rapidocr has other models; install {RAPIDOCR}")
    return path


def weights_in_order(path: Path) -> list[Tensor]:
    """Weights and biases of convolutions, matrix products and layer norms as they run; batch norms are merged.

    A matrix product's weight is transposed, as ``nn.Linear`` holds it.
    """
    import onnx

    graph = onnx.load(str(path)).graph
    aliases = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity"}
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    found: list[NDArray[np.float32]] = []
    for node in graph.node:
        inputs = [constants.get(aliases.get(name, name)) for name in node.input]
        weights = [value for value in inputs if value is not None and value.dtype == np.float32 and value.size > 1]
        if node.op_type == "BatchNormalization":
            found[-1:] = merge_norm(found[-1], weights)
        elif node.op_type in ("Conv", "ConvTranspose", "Add", "Mul", "MatMul"):
            found.extend(value.T if node.op_type == "MatMul" else value for value in weights)
    return [torch.from_numpy(value.copy()) for value in found]


def classifier_rows(path: Path, characters: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Weights (1 + n, channels) and biases (1 + n,) of the recogniser's classifier: the blank, then n characters.

    Raises:
        UserError: the model does not know one of the characters.
    """
    import onnx

    said = {entry.key: entry.value for entry in onnx.load(str(path)).metadata_props}
    # The list of characters lacks the blank before it and the space behind it.
    table = ["", *said.get("character", "").split("\n"), " "]
    if unknown := [character for character in characters if character not in table]:
        raise UserError(f"{path} does not know {unknown[0]!r}; install {RAPIDOCR}")
    rows = [0, *(table.index(character) for character in characters)]
    weight, bias = weights_in_order(path)[-2:]
    return weight[rows], bias[rows]


def merge_norm(
    weight: NDArray[np.float32], norm: Sequence[NDArray[np.float32]]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A convolution without bias and the batch norm (scale, shift, mean, variance) behind it, as one with bias."""
    scale, shift, mean, variance = norm
    factor = scale / np.sqrt(variance + _NORM_EPSILON)
    return weight * factor.reshape(-1, *[1] * (weight.ndim - 1)), shift - mean * factor


def fill(module: nn.Module, weights: Iterator[Tensor]) -> None:
    """Give each parameter of a module, in order, the next of the weights.

    Raises:
        RuntimeError: a shape differs, so the order is not what this relies on.
    """
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            weight = next(weights)
            if weight.numel() != parameter.numel():
                raise RuntimeError(f"{name} is {tuple(parameter.shape)}, the packaged weight {tuple(weight.shape)}")
            parameter.copy_(weight.view_as(parameter))


def take_pixels(
    conv: nn.Conv2d, mean: Sequence[float], std: Sequence[float], own_mean: Sequence[float], own_std: Sequence[float]
) -> None:
    """Let a first convolution that was trained on (BGR - mean) / std take (RGB - own_mean) / own_std.

    All on the 0..255 scale and each in its own order of channels. Only at the border, which is padded with
    zeros, is the result another one.
    """
    mean_rgb, std_rgb = (torch.tensor(list(reversed(values))) for values in (mean, std))
    ours_mean, ours_std = torch.tensor(list(own_mean)), torch.tensor(list(own_std))
    assert conv.bias is not None
    with torch.no_grad():
        weight = conv.weight.flip(1) / std_rgb.view(1, 3, 1, 1)
        conv.bias += (weight * (ours_mean - mean_rgb).view(1, 3, 1, 1)).sum(dim=(1, 2, 3))
        conv.weight.copy_(weight * ours_std.view(1, 3, 1, 1))
