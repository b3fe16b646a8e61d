"""Losses of a whole batch, against those of mmdet's heads for the same network and images."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from small_networks import TEMPLATES
from torch import Tensor

from text_spotting.engine.torch_spotter import build_network
from text_spotting.gpu.losses import _mask_loss, detector_losses
from text_spotting.gpu.matching import Truth
from text_spotting.workdir.config import load_config

SIZE = (192, 144)
NAMES = ("loss_rpn_cls", "loss_rpn_bbox", "loss_cls", "loss_bbox", "loss_mask")
WORDS = [[(10, 10, 70, 30), (80, 12, 120, 28), (30, 60, 150, 100)], [(100, 40, 180, 70)]]
APART = [[(10, 110, 60, 140)], []]


def network_of(samples: int) -> Any:
    """The light network with random weights, which samples as many boxes of each kind, in evaluation."""
    torch.manual_seed(0)
    config = load_config(TEMPLATES / "text-spotting-0003-lite" / "model.py")
    train = config.model.train_cfg
    train.rcnn.words_read = 0
    train.rpn.sampler.update(num=samples, pos_fraction=1 if samples > 1000 else 0.5)
    train.rcnn.sampler.update(num=samples, pos_fraction=1 if samples > 1000 else 0.33)
    return build_network(config).eval()


def both(network: Any, images: Tensor, words: list[Any], apart: list[Any]) -> tuple[dict[str, float], ...]:
    """The losses of mmdet's heads and ours."""
    samples = [sample_of(*each) for each in zip(words, apart, strict=True)]
    with torch.no_grad():
        levels = network.extract_feat(images)
        theirs, proposals = network.rpn_head.loss_and_predict(
            levels, samples, proposal_cfg=network.train_cfg.rpn_proposal
        )
        theirs.update(network.roi_head.loss(levels, proposals, samples))
        ours = detector_losses(network, images, truth_of(words, apart))
    summed = {name: float(sum(theirs[name]) if isinstance(theirs[name], list) else theirs[name]) for name in NAMES}
    assert set(ours) == set(NAMES)
    return summed, {name: float(ours[name]) for name in NAMES}


def corners(box: tuple[float, float, float, float]) -> list[tuple[float, float]]:
    x1, y1, x2, y2 = box
    return [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]


def sample_of(words: Any, apart: Any) -> DetDataSample:
    sample = DetDataSample(metainfo={"img_shape": SIZE[::-1], "pad_shape": SIZE[::-1], "scale_factor": (1.0, 1.0)})
    sample.gt_instances = InstanceData(
        bboxes=torch.tensor(words, dtype=torch.float32).reshape(-1, 4),
        labels=torch.zeros(len(words), dtype=torch.int64),
        polygons=torch.tensor([corners(box) for box in words], dtype=torch.float32).reshape(-1, 4, 2),
        texts=torch.zeros(len(words), 28, dtype=torch.int64),
    )
    sample.ignored_instances = InstanceData(bboxes=torch.tensor(apart, dtype=torch.float32).reshape(-1, 4))
    return sample


def truth_of(words: list[Any], apart: list[Any]) -> Truth:
    boxes, polygons, ignored = torch.zeros(2, 3, 4), torch.zeros(2, 3, 4, 2), torch.zeros(2, 1, 4)
    for row in range(2):
        for place, box in enumerate(words[row]):
            boxes[row, place], polygons[row, place] = torch.tensor(box), torch.tensor(corners(box))
        for place, box in enumerate(apart[row]):
            ignored[row, place] = torch.tensor(box)
    return Truth(boxes, polygons, ignored)


@pytest.fixture(scope="module")
def images() -> Tensor:
    torch.manual_seed(3)
    return torch.randn(2, 3, *SIZE[::-1])


@pytest.mark.slow
@pytest.mark.parametrize("words", [WORDS, [WORDS[0], []]], ids=["words in both images", "one image without words"])
def test_losses_are_mmdets_where_nothing_is_left_to_chance(images: Tensor, words: list[Any]) -> None:
    theirs, ours = both(network_of(10**5), images, words, APART)
    for name in NAMES:
        assert ours[name] == pytest.approx(theirs[name], rel=2e-4), name


@pytest.mark.slow
def test_losses_are_mmdets_in_the_mean_of_sampled_boxes(images: Tensor) -> None:
    network = network_of(24)
    draws = [both(network, images, WORDS, APART) for _ in range(10)]
    for name in NAMES:
        theirs, ours = (np.array([draw[side][name] for draw in draws]) for side in (0, 1))
        error = float(np.hypot(theirs.std(), ours.std())) / 10**0.5
        assert abs(theirs.mean() - ours.mean()) < 5 * error + 1e-6, name


@pytest.mark.slow
def test_images_without_any_word_teach_background_alone(images: Tensor) -> None:
    network = network_of(24).train()
    losses = detector_losses(network, images, truth_of([[], []], [[], []]))
    values = {name: float(value.detach()) for name, value in losses.items()}
    assert values["loss_bbox"] == values["loss_mask"] == values["loss_rpn_bbox"] == 0
    assert values["loss_rpn_cls"] > 0
    torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None for parameter in network.roi_head.mask_head.parameters())


@pytest.mark.parametrize(("found", "learned"), [(40, 40), (130, 128), (192, 192)])
def test_masks_are_learned_in_whole_64s_each_with_its_own_polygon(found: int, learned: int) -> None:
    starts = 100.0 * torch.arange(found)
    rois = torch.stack([torch.zeros(found), starts, torch.zeros(found), starts + 28, torch.full((found,), 28.0)], dim=1)
    polygons = torch.tensor([corners((0.0, 0.0, 28.0, 28.0))]).repeat(found, 1, 1)
    polygons[1::2, 1:3, 0] = 14  # every second word fills the left half of its box
    polygons[..., 0] += starts[:, None]
    seen = []

    def masks(_: object, rois: Tensor) -> dict[str, Tensor]:
        seen.append(len(rois))
        right = torch.where(rois[:, 1] % 200 == 0, 50.0, -50.0)[:, None, None, None]
        return {"mask_preds": torch.cat([torch.full((len(rois), 1, 28, 14), 50.0), right.expand(-1, 1, 28, 14)], 3)}

    head = SimpleNamespace(_mask_forward=masks, train_cfg=SimpleNamespace(mask_size=28))
    assert _mask_loss(head, None, rois, polygons) < 1e-3
    assert seen == [learned]
