"""Which words the rectifying head learns from, where it looks for them, and what a tiny network's losses are."""

import zlib
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from small_networks import BOTH, TEMPLATES
from test_data import image_of

from text_spotting.data.packing import pack, pad_texts
from text_spotting.engine.torch_spotter import build_network
from text_spotting.models.roi_extractors import Pyramid
from text_spotting.workdir.config import load_config

LITE = "text-spotting-0003-lite"


@pytest.fixture(scope="module")
def lite() -> Any:
    config = load_config(TEMPLATES / LITE / "model.py")
    config.model.roi_head.frame_jitter = {"along": 0, "across": 0, "centre": 0, "angle": 0, "slant": 0}
    return build_network(config)


QUAD: list[list[float]] = [[40.0, 40], [140, 40], [140, 70], [40, 70]]


def picked(lite: Any, *words: tuple[list[list[float]], str]) -> tuple[Any, Any]:
    polygons = torch.tensor([polygon for polygon, _ in words])
    boxes = torch.cat([polygons.amin(dim=1), polygons.amax(dim=1)], dim=1)
    labels = torch.zeros(len(words), dtype=torch.int64)
    truth = InstanceData(bboxes=boxes, labels=labels, polygons=polygons, texts=pad_texts([text for _, text in words]))
    frames, targets = lite.roi_head._pick(truth)
    return frames, targets


def test_a_word_is_learned_in_its_own_frame(lite: Any) -> None:
    frames, targets = picked(lite, (QUAD, "open"))
    assert frames[0].numpy() == pytest.approx(np.array([[40, 40], [100, 0], [0, 30]]), abs=1.5)
    assert torch.equal(targets, pad_texts(["open"]))


@pytest.mark.parametrize(
    "polygon",
    [[*QUAD[2:], *QUAD[:2]], [*QUAD[1:], QUAD[0]]],
    ids=["upside down", "from the second corner, so across"],
)
def test_a_word_that_is_not_read_forward_is_not_learned(lite: Any, polygon: list[list[float]]) -> None:
    _, targets = picked(lite, (polygon, "down"), (QUAD, "open"))
    assert torch.equal(targets, pad_texts(["open"]))


def test_a_word_without_text_and_one_too_small_for_its_text_are_not_learned(lite: Any) -> None:
    small: list[list[float]] = [[0.0, 0], [12, 0], [12, 4], [0, 4]]
    _, targets = picked(lite, (QUAD, ""), (small, "open"), (QUAD, "far"))
    assert torch.equal(targets, pad_texts(["far"]))


def test_at_most_as_many_words_are_learned_as_the_configuration_says(lite: Any) -> None:
    assert len(picked(lite, *[(QUAD, "open")] * 12)[1]) == 8


def test_a_found_word_is_read_with_four_hundredths_of_its_height_around_it(lite: Any) -> None:
    """Pixels that hold their own place tell where the network looks."""
    ys, xs = torch.meshgrid(torch.arange(100.0), torch.arange(200.0), indexing="ij")
    image = torch.stack([xs + 0.5, ys + 0.5, xs * 0])[None]
    rois, masks = torch.tensor([[0.0, 40, 40, 140, 70]]), torch.ones(1, 28, 28)
    seen = lite.roi_head.text_features(Pyramid.of([], image), rois, masks)[0]
    rows, columns = lite.roi_head.text_roi_extractor.output_size
    margin = 0.04 * 30
    assert seen[0, 0, 0].item() == pytest.approx(40 - margin + (100 + 2 * margin) / columns / 2, abs=0.1)
    assert seen[0, 0, -1].item() == pytest.approx(140 + margin - (100 + 2 * margin) / columns / 2, abs=0.1)
    assert seen[1, 0, 0].item() == pytest.approx(40 - margin + (30 + 2 * margin) / rows / 2, abs=0.1)


def numbered_weights(network: Any) -> None:
    """Fill every tensor from a generator seeded by its name: the same on all machines, whatever else a network has."""
    for name, tensor in network.named_parameters():
        generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
        values = torch.rand(tensor.shape, generator=generator) - 0.5
        fan_in = max(tensor[0].numel(), 1) if tensor.dim() > 1 else 4
        tensor.data.copy_(values * 2 / fan_in**0.5 + (1.0 if tensor.dim() == 1 and name.endswith("weight") else 0.0))


PINNED: dict[str, dict[str, float]] = {
    "text-spotting-0003": {
        "loss_rpn_cls": 0.568,
        "loss_rpn_bbox": 0.0357,
        "loss_cls": 0.769,
        "loss_bbox": 0.0534,
        "loss_mask": 0.582,
        "loss_text": 3.558,
    },
    "text-spotting-0003-lite": {
        "loss_rpn_cls": 0.661,
        "loss_rpn_bbox": 0.00885,
        "loss_cls": 0.5594,
        "loss_bbox": 0.179,
        "loss_mask": 0.604,
        "loss_text": 3.646,
        "loss_ctc": 3.786,
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BOTH)
def test_the_losses_of_a_numbered_network_on_a_drawn_image_are_those_of_the_day_they_were_noted(name: str) -> None:
    config = load_config(TEMPLATES / name / "model.py")
    config.model.roi_head.text_head.dropout = 0.0
    network: Any = build_network(config).train()
    numbered_weights(network)
    sample = image_of((20, 20, 90, 44), (100, 52, 180, 80), size=(192, 96))
    torch.manual_seed(0)
    data = network.data_preprocessor({key: [value] for key, value in pack(sample).items()}, training=True)
    losses = network.loss(data["inputs"], data["data_samples"])
    found = {key: float(sum(value) if isinstance(value, list) else value) for key, value in losses.items()}
    assert {key: found[key] for key in PINNED[name]} == pytest.approx(PINNED[name], rel=0.02)
