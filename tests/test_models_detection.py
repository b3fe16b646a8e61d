"""Don't-care regions, mask targets and what the detector gives out."""

import copy
from typing import Any

import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from small_networks import BOTH, small_network

from text_spotting.models.assigner import WordAssigner
from text_spotting.models.complexity import complexity
from text_spotting.models.mask_head import rasterise

NOWHERE = torch.zeros(0, 4)


def assign(words: torch.Tensor, ignored: torch.Tensor, boxes: torch.Tensor) -> list[int]:
    assigner = WordAssigner(pos_iou_thr=0.5, neg_iou_thr=0.5, match_low_quality=False, ignore_iof_thr=0.5)
    truth = InstanceData(bboxes=words, labels=torch.zeros(len(words), dtype=torch.int64))
    assigned = assigner.assign(InstanceData(priors=boxes), truth, InstanceData(bboxes=ignored))
    return list(assigned.gt_inds.tolist())


BOXES = torch.tensor([[0, 0, 10, 10], [50, 50, 60, 60], [100, 100, 110, 110]], dtype=torch.float32)


def test_a_box_on_a_word_learns_it_one_on_a_dont_care_region_nothing_any_other_background() -> None:
    assert assign(BOXES[:1], BOXES[1:2], BOXES) == [1, -1, 0]


def test_dont_care_regions_hold_in_an_image_without_words_too() -> None:
    assert assign(NOWHERE, BOXES[1:2], BOXES) == [0, -1, 0]


def test_half_a_box_in_a_dont_care_region_is_not_enough() -> None:
    assert assign(NOWHERE, torch.tensor([[50.0, 50, 55, 60]]), BOXES) == [0, 0, 0]


def test_an_image_without_words_and_regions_is_all_background() -> None:
    assert assign(NOWHERE, NOWHERE, BOXES) == [0, 0, 0]


def test_a_box_that_holds_two_words_is_background_unless_it_fits_one_well() -> None:
    words = torch.tensor([[0.0, 0, 60, 10], [65, 0, 100, 10]])
    both, mostly_the_first = torch.tensor([[0.0, 0, 100, 10]]), torch.tensor([[0.0, 0, 76, 10]])
    # IoU with the first word: 0.6 and 0.79; the second box holds 11 of the second word's 35 columns.
    boxes = torch.cat([both, mostly_the_first, words])
    truth = InstanceData(bboxes=words, labels=torch.zeros(2, dtype=torch.int64))

    def assigned(**settings: float) -> list[int]:
        assigner = WordAssigner(pos_iou_thr=0.5, neg_iou_thr=0.5, match_low_quality=False, **settings)
        return list(assigner.assign(InstanceData(priors=boxes), truth).gt_inds.tolist())

    assert assigned() == [1, 1, 1, 2]
    assert assigned(joined_iou_thr=0.7) == [0, 1, 1, 2]
    assert assigned(joined_iou_thr=0.55) == [1, 1, 1, 2]
    # They hold 23 and 27 of the second word's 35 columns: 66 and 77 per cent. IoU with the first: 0.68 and 0.65.
    boxes = torch.tensor([[0.0, 0, 88, 10], [0, 0, 92, 10]])
    assert assigned(joined_iou_thr=0.7) == [1, 0], "a word is held from seven tenths on"


@pytest.mark.slow
def test_the_box_head_learns_from_proposals_and_from_what_it_makes_of_them() -> None:
    _, network = small_network("text-spotting-0003-lite")
    head: Any = network.roi_head
    x = network.extract_feat(torch.rand(2, 3, 96, 192))
    sample = DetDataSample(metainfo={"img_shape": (96, 192)})
    proposals = [
        InstanceData(bboxes=torch.tensor([box]), labels=torch.zeros(1, dtype=torch.int64), scores=torch.ones(1))
        for box in ([20.0, 20, 60, 40], [30.0, 10, 90, 50])
    ]
    for image, own in enumerate(head._with_refinements(x, proposals, [sample, sample])):
        alone = network.extract_feat(x.image[image : image + 1])
        refined = head.refine(alone, proposals[image].bboxes, (96, 192))
        assert torch.allclose(own.bboxes, torch.cat([proposals[image].bboxes, refined]), atol=1e-2)
        assert not torch.equal(own.bboxes[0], own.bboxes[1])
        assert len(own.labels) == len(own.scores) == 2


def test_two_thin_convolutions_keep_the_signal_of_new_region_proposals_alive() -> None:
    _, network = small_network("text-spotting-0003-lite")
    head = copy.deepcopy(network.rpn_head)  # other tests share the network
    head.init_weights()
    seen = head.rpn_conv(torch.randn(1, 64, 64, 64))
    assert 0.5 < float(seen[..., 1:-1, 1:-1].detach().std()) < 2


def test_the_mask_of_a_diamond_covers_the_cells_whose_centres_are_in_it() -> None:
    diamond = torch.tensor([[[2.0, -0.2], [4.2, 2.0], [2.0, 4.2], [-0.2, 2.0]]])
    drawn = rasterise(diamond, torch.tensor([[0.0, 0.0, 4.0, 4.0]]), 4)[0]
    assert drawn.tolist() == [[0, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 1], [0, 1, 1, 0]]


def test_a_mask_is_cut_to_its_box_and_repeated_corners_change_nothing() -> None:
    left_half = torch.tensor([[[0.0, 0.0], [4.0, 0.0], [4.0, 8.0], [0.0, 8.0], [0.0, 8.0]]])
    drawn = rasterise(left_half, torch.tensor([[0.0, 0.0, 8.0, 4.0]]), 4)[0]
    assert drawn.tolist() == [[1, 1, 0, 0]] * 4


@pytest.mark.slow
@pytest.mark.parametrize("name", BOTH)
def test_detections_come_with_masks_and_text_features_of_their_template(name: str) -> None:
    _, network = small_network(name)
    found = network.detect(torch.zeros(1, 3, 96, 192))
    shape = {"text-spotting-0003": (64, 28, 28), "text-spotting-0003-lite": (3, 32, 96)}[name]
    assert len(found.boxes) > 0
    assert found.boxes.shape[1] == 5
    assert found.masks.shape == (len(found.boxes), 28, 28)
    assert found.text_features.shape == (len(found.boxes), *shape)


@pytest.mark.slow
def test_images_without_a_readable_word_still_train_every_part() -> None:
    _, network = small_network("text-spotting-0003-lite")
    head: Any = network.roi_head
    losses = head._no_text_loss(network.extract_feat(torch.zeros(1, 3, 96, 96)))
    sum(losses.values()).backward()
    assert all(loss.item() == 0 for loss in losses.values())
    assert head.text_head.decoder.out.weight.grad is not None
    network.zero_grad()


@pytest.mark.slow
def test_layout_and_order_of_channels_in_memory_change_nothing() -> None:
    """mmcv's RoIAlign reads any tensor as if its channels came first."""
    _, network = small_network("text-spotting-0003-lite")
    image = torch.rand(1, 3, 96, 192)
    expected = network.detect(image)
    with_channels_last = copy.deepcopy(network).to(memory_format=torch.channels_last)
    found = with_channels_last.detect(image.contiguous(memory_format=torch.channels_last))
    for name, tensor in expected._asdict().items():
        assert torch.allclose(tensor.float(), getattr(found, name).float(), atol=1e-3), name


@pytest.mark.slow
def test_a_further_word_costs_lite_its_masks_and_its_reading() -> None:
    _, network = small_network("text-spotting-0003-lite")
    one, two = (complexity(network, (192, 96), words=words) for words in (1, 2))
    # 0.4 GFLOP of reading 32 x 96 pixels, 0.05 of drawing a mask.
    assert 0.40 < two - one < 0.50


def test_refinement_moves_boxes_by_what_is_seen_in_them() -> None:
    _, network = small_network("text-spotting-0003-lite")
    head: Any = network.roi_head
    assert head.test_cfg.refinements == 1
    x = network.extract_feat(torch.zeros(1, 3, 96, 192))
    boxes = torch.tensor([[20.0, 20, 60, 40]])
    weight, bias = head.bbox_head.fc_reg.weight, head.bbox_head.fc_reg.bias
    before = weight.clone(), bias.clone()
    with torch.no_grad():
        weight.zero_()
        bias.copy_(torch.tensor([1.0, 0, 0, 0]))  # a tenth of the width to the right
        moved = head.refine(x, boxes, (96, 192))
        weight.copy_(before[0])
        bias.copy_(before[1])
    assert moved.tolist() == [[24, 20, 64, 40]]
