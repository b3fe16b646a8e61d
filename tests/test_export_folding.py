"""Work on whole images that moves into the first convolution gives what it gave before."""

from types import SimpleNamespace

import pytest
import torch

from text_spotting.export.folding import fold_downscale, fold_pixels
from text_spotting.models.backbones import TextBackbone


def network_of(downscale: float) -> SimpleNamespace:
    torch.manual_seed(0)
    return SimpleNamespace(backbone=TextBackbone(downscale=downscale).double().eval())


def assert_same_maps(
    folded: SimpleNamespace, network: SimpleNamespace, image: torch.Tensor, wanted: torch.Tensor
) -> None:
    for value, expected in zip(folded.backbone(image), network.backbone(wanted), strict=True):
        torch.testing.assert_close(value, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("downscale", "side", "stride"), [(1.5, 5, 3), (2, 6, 4), (2.5, 7, 5)])
@torch.no_grad()
def test_one_convolution_shrinks_and_filters_as_two_steps_did_up_to_every_border(
    downscale: float, side: int, stride: int
) -> None:
    network = network_of(downscale)
    folded = fold_downscale(network)
    pixels = folded.backbone.trunk.pixels
    assert (tuple(pixels.weight.shape), pixels.stride) == ((24, 3, side, side), (stride, stride))
    step = int(32 * downscale)
    image = torch.randn(1, 3, 2 * step, 3 * step, dtype=torch.float64)
    assert_same_maps(folded, network, image, image)


def test_a_tap_between_two_pixels_takes_its_share_of_both() -> None:
    network = network_of(2)
    taken = network.backbone.trunk.pixels.weight[0, 0]
    folded = fold_downscale(network).backbone.trunk.pixels.weight[0, 0]
    assert folded.sum().item() == pytest.approx(taken.sum().item()), "a flat image stays flat"
    assert folded[0, 0].item() == pytest.approx(taken[0, 0].item() / 4), "halving is a mean of 2x2 pixels"


@pytest.mark.parametrize("downscale", [1, 1.25])
def test_nothing_is_folded_without_shrinking_or_where_the_stride_would_break(downscale: float) -> None:
    network = network_of(downscale)
    assert fold_downscale(network) is network


@pytest.mark.slow
@torch.no_grad()
def test_raw_channels_in_another_order_give_the_same_maps() -> None:
    network = network_of(1.5)
    raw = torch.randn(1, 3, 48, 96, dtype=torch.float64)
    std = (50.0, 60.0, 70.0)
    scaled = raw[:, [2, 1, 0]] / torch.tensor(std, dtype=torch.float64).view(1, 3, 1, 1)
    assert_same_maps(fold_pixels(network, [2, 1, 0], std), network, raw, scaled)
