"""NMS and RoIAlign without compiled operators, against worked-out answers."""

import subprocess
import sys

import pytest
import torch
from torch import Tensor

from text_spotting.ops import nms as nms_module
from text_spotting.ops import vision
from text_spotting.ops.nms import GAUSSIAN, LINEAR, NAIVE, nms, soft_nms
from text_spotting.ops.roi_align import roi_align, roi_align_gradient
from text_spotting.ops.stand_in import NAME, Operators, _Finder


@pytest.fixture(params=["plain torch", "torchvision"], autouse=True)
def operators(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs with plain torch, and once more where torchvision is at hand."""
    if request.param == "plain torch":
        monkeypatch.setattr(vision, "operators", lambda: None)
    elif vision.operators() is None:
        pytest.skip("torchvision is not installed or does not load here")


# Each overlaps the next one by 5 x 10 of 150 pixels, a third; the last lies apart.
ROW = torch.tensor([[0.0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10], [100, 100, 110, 110]])


@pytest.mark.parametrize(
    ("scores", "threshold", "kept"),
    [
        ([0.9, 0.8, 0.7, 0.6], 0.3, [0, 2, 3]),  # the middle goes, and what it overlaps stays
        ([0.6, 0.9, 0.8, 0.95], 0.3, [3, 1]),  # the middle is the best: both neighbours go
        ([0.9, 0.8, 0.7, 0.6], 0.34, [0, 1, 2, 3]),  # a third is not more than the threshold
        ([0.5, 0.5, 0.5, 0.5], 0.3, [0, 2, 3]),  # equals: the first wins
    ],
)
def test_a_box_goes_where_a_better_one_that_stays_overlaps_it(
    scores: list[float], threshold: float, kept: list[int]
) -> None:
    assert nms(ROW, torch.tensor(scores), threshold).tolist() == kept


def test_with_whole_pixels_as_corners_boxes_are_one_pixel_wider() -> None:
    # 0..1 and 1..2 share a pixel of three then: 2 x 2 pixels each, 1 x 2 shared, 2/6.
    boxes = torch.tensor([[0.0, 0, 1, 1], [1, 0, 2, 1]])
    scores = torch.tensor([0.9, 0.8])
    assert nms(boxes, scores, 0.3).tolist() == [0, 1]
    assert nms(boxes, scores, 0.3, offset=1).tolist() == [0]


def test_boxes_without_area_and_no_boxes_at_all_are_no_trouble() -> None:
    points = torch.zeros(2, 4)
    assert nms(points, torch.tensor([0.1, 0.2]), 0.5).tolist() == [1, 0]
    assert nms(torch.zeros(0, 4), torch.zeros(0), 0.5).tolist() == []


def one_by_one(boxes: Tensor, threshold: float) -> list[int]:
    """NMS as it is defined, for boxes that come best first."""
    kept: list[int] = []
    for index in range(len(boxes)):
        overlaps = nms_module.iou(boxes[kept], boxes[index].expand(len(kept), 4))
        if not (overlaps > threshold).any():
            kept.append(index)
    return kept


def test_going_block_by_block_keeps_what_going_one_by_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nms_module, "_BLOCK", 16)
    corners = torch.rand(300, 2, generator=torch.Generator().manual_seed(0)) * 100
    boxes = torch.cat([corners, corners + 30], dim=1)
    kept = nms(boxes, torch.linspace(1, 0.1, 300), 0.4)
    assert kept.tolist() == one_by_one(boxes, 0.4)
    assert 10 < len(kept) < 200


@pytest.mark.parametrize(
    ("method", "scores"),
    [
        (NAIVE, {0: 0.9, 2: 0.7, 3: 0.6}),  # what overlaps by the threshold goes
        (LINEAR, {0: 0.9, 2: 0.7, 3: 0.6, 1: 0.8 * 2 / 3 * 2 / 3}),  # both neighbours of the middle lower it
        (GAUSSIAN, {0: 0.9, 2: 0.7, 3: 0.6, 1: 0.8 * 0.8007374 * 0.8007374}),  # exp(-(1/3)^2 / 0.5)
    ],
)
def test_soft_nms_lowers_scores_by_overlap(method: int, scores: dict[int, float]) -> None:
    """The third box overlaps the first not at all; the second is left of 0.53 after the first, below the others."""
    found, kept = soft_nms(ROW, torch.tensor([0.9, 0.8, 0.7, 0.6]), 0.3, 0.5, 0.05, method)
    assert kept.tolist() == sorted(scores, key=lambda index: -scores[index])
    assert found[:, 4].tolist() == pytest.approx([scores[index] for index in kept.tolist()])
    assert torch.equal(found[:, :4], ROW[kept])


def test_soft_nms_drops_boxes_below_the_lowest_score() -> None:
    _, kept = soft_nms(ROW, torch.tensor([0.9, 0.8, 0.04, 0.6]), 0.3, 0.5, 0.55, LINEAR)
    assert kept.tolist() == [0, 3]


def test_soft_nms_of_nothing_is_nothing() -> None:
    found, kept = soft_nms(torch.zeros(0, 4), torch.zeros(0), 0.3, 0.5, 0.05, LINEAR)
    assert found.shape == (0, 5)
    assert kept.tolist() == []


# Two images of one channel, 4 x 6 features: in the first each is its x plus ten times its y, in the second 100.
SLOPE = torch.stack([torch.arange(6.0) + 10 * torch.arange(4.0)[:, None], torch.full((4, 6), 100.0)])[:, None]


def pool(
    box: list[float], size: tuple[int, int] = (1, 1), ratio: int = 1, aligned: bool = True, scale: float = 1.0
) -> list[list[float]]:
    return roi_align(SLOPE, torch.tensor([box]), size, scale, ratio, aligned)[0, 0].tolist()


def test_cells_are_sampled_at_their_centres() -> None:
    # Aligned, the features' own centres lie at 0.5, 1.5, ...; else at 0, 1, ...
    assert pool([0, 0, 0, 2, 2], (2, 2)) == [[0, 1], [10, 11]]
    assert pool([0, 0, 0, 2, 2], (2, 2), aligned=False) == [[5.5, 6.5], [15.5, 16.5]]
    assert pool([0, 1, 1, 2, 2], (2, 2)) == [[8.25, 8.75], [13.25, 13.75]]


def test_a_box_belongs_to_its_image_and_is_scaled() -> None:
    assert pool([1, 0, 0, 2, 2]) == [[100]]
    assert pool([0, 6, 3, 9, 6], scale=1 / 3) == [[2 + 10]]


def test_without_alignment_a_box_is_at_least_one_feature_wide() -> None:
    assert pool([0, 1, 1, 1, 1], aligned=False) == [[1.5 + 15]]
    assert pool([0, 1, 1, 1, 1]) == [[0.5 + 5]]


def test_samples_up_to_one_feature_outside_take_the_border_and_those_beyond_nothing() -> None:
    # The cells' centres lie at x = -2, -1, 0 and 1; the first is out of reach.
    assert pool([0, -2, 1, 2, 2], (1, 4)) == [[0, 10, 10, 11]]
    # At y = 3, 4 and 5: the last row, the same a feature further down, nothing.
    assert pool([0, 2, 3, 3, 6], (3, 1)) == [[32], [32], [0]]


@pytest.mark.parametrize(
    ("ratio", "shares"),
    [
        (1, {(0, 1): 0.25, (0, 2): 0.25, (1, 1): 0.25, (1, 2): 0.25}),  # one sample, between four features
        (0, {(y, x): 0.125 for y in range(2) for x in range(4)}),  # a sample for each feature
        # two by two samples at x = 0.5, 2.5 and y = 0, 1: halfway between features across, on them down
        (2, {(y, x): 0.125 for y in range(2) for x in range(4)}),
        # three across and down: x = 1/6, 3/2, 17/6 and y = -1/6, 1/2, 7/6
        (
            3,
            {
                (y, x): down * across
                for y, down in enumerate([1.5 / 3, (0.5 + 5 / 6) / 3, (1 / 6) / 3])
                for x, across in enumerate([(5 / 6) / 3, (1 / 6 + 0.5) / 3, (0.5 + 1 / 6) / 3, (5 / 6) / 3])
            },
        ),
    ],
)
def test_a_cell_is_the_mean_of_its_samples_and_its_gradient_goes_back_the_same_way(
    ratio: int, shares: dict[tuple[int, int], float]
) -> None:
    """A box of 4 x 2 features in one cell: the share that each feature has in it."""
    rois, expected = torch.tensor([[0.0, 0, 0, 4, 2]]), torch.zeros(4, 6)
    for (y, x), share in shares.items():
        expected[y, x] = share
    features = torch.eye(24).view(24, 1, 4, 6).transpose(0, 1)  # a channel for each feature, 1 there
    pooled = roi_align(features, rois, (1, 1), 1.0, ratio, True).view(4, 6)
    assert torch.allclose(pooled, expected, atol=1e-6)
    gradient = roi_align_gradient(torch.full((1, 1, 1, 1), 3.0), rois, (1, 1, 4, 6), 1.0, ratio, True)
    assert torch.allclose(gradient[0, 0], 3 * expected, atol=1e-6)


def test_the_gradient_adds_up_over_boxes_and_stays_in_their_images() -> None:
    rois = torch.tensor([[0.0, 0, 0, 1, 1], [0, 0, 0, 2, 1], [1, 5, 3, 6, 4]])
    gradient = roi_align_gradient(torch.tensor([1.0, 10, 100]).view(3, 1, 1, 1), rois, (2, 1, 4, 6), 1.0, 1, True)
    assert gradient[0, 0, 0, :3].tolist() == [1 + 5, 5, 0]
    assert gradient[1, 0, 3, 5] == 100
    assert gradient.sum() == 111


def test_memory_layout_of_the_features_changes_nothing() -> None:
    features = torch.rand(2, 5, 8, 9)
    rois = torch.tensor([[1.0, 1, 2, 7, 6], [0, 0, 0, 9, 8]])
    as_they_are = roi_align(features, rois, (3, 2), 1.0, 0, True)
    assert as_they_are.shape == (2, 5, 3, 2)
    last = roi_align(features.contiguous(memory_format=torch.channels_last), rois, (3, 2), 1.0, 0, True)
    assert torch.allclose(as_they_are, last, atol=1e-6)


def test_no_boxes_give_no_features_and_no_gradient() -> None:
    assert roi_align(SLOPE, torch.zeros(0, 5), (2, 3), 1.0, 0, True).shape == (0, 1, 2, 3)
    gradient = roi_align_gradient(torch.zeros(0, 1, 2, 3), torch.zeros(0, 5), (2, 1, 4, 6), 1.0, 0, True)
    assert torch.equal(gradient, torch.zeros(2, 1, 4, 6))


def test_a_box_without_area_takes_no_samples_of_its_own_choice() -> None:
    assert pool([0, 2, 2, 2, 2], ratio=0) == [[0]]


THROUGH_MMCV = f"""
import sys, types
from text_spotting.ops import stand_in, vision
if sys.argv[1] == "plain":
    vision.operators = lambda: None
sys.modules["{NAME}"] = stand_in.Operators("{NAME}")
import mmdet.models, text_spotting.models, torch
from mmcv import ops
from mmcv.utils import collect_env
boxes = torch.tensor([[0.0, 0, 10, 10], [1, 0, 10, 10], [1, 0, 10, 10]])
scores, classes = torch.tensor([0.5, 0.9, 0.8]), torch.tensor([0, 0, 1])
print(ops.batched_nms(boxes, scores, classes, dict(type="nms", iou_threshold=0.5))[1].tolist())
print([round(x, 2) for x in ops.soft_nms(boxes, scores, 0.5)[0][:, 4].tolist()])
features = torch.ones(1, 1, 4, 4, dtype=torch.float64, requires_grad=True)
rois = torch.tensor([[0, 0.3, 0.4, 3.1, 2.2], [0, 1, 1, 3, 4]], dtype=torch.float64)
align = ops.RoIAlign((2, 2), 1.0, 0)
print(round(align(features, rois).sum().item(), 6), torch.autograd.gradcheck(lambda x: align(x, rois), features))
print(collect_env()["MMCV Compiler"])
try:
    ops.points_in_boxes_cpu(torch.zeros(1, 2, 3), torch.ones(1, 1, 7))
except Exception as error:
    print(type(error).__name__)
try:
    ops.RoIAlign((2, 2), 1.0, 0, pool_mode="max")(features, rois)
except NotImplementedError as error:
    print(error)
"""


@pytest.mark.slow
def test_mmcv_and_mmdet_work_on_the_stand_in(request: pytest.FixtureRequest) -> None:
    which = "plain" if "plain" in request.node.callspec.id else "torchvision"
    command = [sys.executable, "-c", THROUGH_MMCV, which]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stdout.splitlines() == [
        "[1, 2]",
        "[0.9, 0.05]",  # the second's twin overlaps it wholly and goes, the first by 0.9
        "8.0 True",
        "none",
        "NotImplementedError",
        'RoIAlign with pool_mode="max" needs mmcv\'s compiled operators',
    ], ended.stderr


def test_the_stand_in_is_offered_for_that_one_module_alone() -> None:
    finder = _Finder()
    assert finder.find_spec("mmcv.ops", None) is None
    assert finder.find_spec(NAME, None) is not None
    with pytest.raises(AttributeError):
        _ = Operators(NAME).__wrapped__
    with pytest.raises(NotImplementedError, match="the operator knn_forward needs"):
        Operators(NAME).knn_forward()
