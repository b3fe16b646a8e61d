"""Whole batches matched, sampled and suppressed at once, against worked-out answers and mmdet's image by image."""

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from text_spotting.gpu.matching import (
    Match,
    Truth,
    covered,
    match_anchors,
    match_proposals,
    overlaps,
    sample,
    suppress,
)
from text_spotting.models.assigner import HELD_IOF, WordAssigner
from text_spotting.ops.nms import nms


def boxes(*rows: tuple[float, float, float, float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)


def truth(words: Tensor, ignored: Tensor) -> Truth:
    """One image."""
    return Truth(words[None], torch.zeros(1, len(words), 4, 2), ignored[None])


def random_boxes(count: int, extent: float = 100.0) -> Tensor:
    low = torch.rand(count, 2) * extent
    return torch.cat([low, low + 2 + torch.rand(count, 2) * extent / 4], dim=1)


def test_overlap_is_intersection_over_union_and_cover_a_share_of_the_first() -> None:
    one, other = boxes((0, 0, 4, 2)), boxes((2, 0, 6, 2), (10, 10, 12, 12))
    torch.testing.assert_close(overlaps(one, other), torch.tensor([[4 / 12, 0]]))
    torch.testing.assert_close(covered(one, other), torch.tensor([0.5]))
    assert covered(one, boxes()).tolist() == [0]


def test_anchors_learn_words_from_an_overlap_on_or_as_the_best_of_a_word() -> None:
    words = boxes((0, 0, 10, 10), (50, 0, 60, 10))
    anchors = boxes((0, 0, 10, 9), (50, 0, 60, 5), (20, 20, 30, 30), (0, 0, 10, 5), (70, 0, 80, 10))
    match = match_anchors(anchors, truth(words, boxes((70, 0, 90, 10))), 0.7, 0.3, 0.5)
    assert match.positive[0].tolist() == [True, True, False, False, False]
    assert match.word[0, :2].tolist() == [0, 1]
    assert match.negative[0].tolist() == [False, False, True, False, False], "in between, and don't care: left alone"


def test_anchors_are_matched_as_by_mmdet_among_random_boxes() -> None:
    torch.manual_seed(0)
    assigner = WordAssigner(pos_iou_thr=0.6, neg_iou_thr=0.3, min_pos_iou=0.3, ignore_iof_thr=0.5)
    for words in (0, 1, 7):
        anchors, gold, apart = random_boxes(900), random_boxes(words), random_boxes(4)
        assigned = assign(assigner, anchors, gold, apart)
        padded = torch.cat([gold, torch.zeros(2, 4)])
        match = match_anchors(anchors, truth(padded, torch.cat([apart, torch.zeros(1, 4)])), 0.6, 0.3, 0.5)
        assert_as_assigned(match, assigned)


def test_proposals_are_matched_as_by_mmdet_and_those_that_hold_two_words_are_background() -> None:
    torch.manual_seed(1)
    assigner = WordAssigner(
        pos_iou_thr=0.5,
        neg_iou_thr=0.5,
        min_pos_iou=0.5,
        match_low_quality=False,
        ignore_iof_thr=0.5,
        joined_iou_thr=0.7,
    )
    words = boxes((0, 0, 20, 10), (22, 0, 32, 10), (60, 50, 90, 70))
    proposals = torch.cat([boxes((0, 0, 32, 10)), words, words + torch.randn(3, 4), random_boxes(300)])
    apart = random_boxes(3)
    valid = torch.ones(1, len(proposals), dtype=torch.bool)
    match = match_proposals(proposals[None], valid, truth(words, apart), 0.5, 0.5, 0.7, HELD_IOF)
    assert_as_assigned(match, assign(assigner, proposals, words, apart))
    assert overlaps(proposals[:1], words).max() > 0.6
    assert match.negative[0, 0], "it would pass for the first word"


def assign(assigner: WordAssigner, priors: Tensor, words: Tensor, apart: Tensor) -> Tensor:
    """For each prior the word's number from 1, 0 for background, -1 for neither."""
    gold = InstanceData(bboxes=words, labels=torch.zeros(len(words), dtype=torch.int64))
    numbers: Tensor = assigner.assign(InstanceData(priors=priors), gold, InstanceData(bboxes=apart)).gt_inds
    return numbers


def assert_as_assigned(match: Match, assigned: Tensor) -> None:
    assert match.positive[0].tolist() == (assigned > 0).tolist()
    assert match.negative[0].tolist() == (assigned == 0).tolist()
    assert match.word[0][assigned > 0].tolist() == (assigned[assigned > 0] - 1).tolist()


def test_padding_is_neither_word_nor_background() -> None:
    proposals = boxes((0, 0, 10, 10), (0, 0, 10, 10))[None]
    valid = torch.tensor([[True, False]])
    match = match_proposals(
        proposals, valid, truth(boxes((0, 0, 10, 10)), boxes((0, 0, 0, 0))), 0.5, 0.5, 0.7, HELD_IOF
    )
    assert match.positive.tolist() == [[True, False]]
    assert not match.negative.any()


def drawn_from(positives: int, negatives: int, overlap: Tensor | None = None) -> Match:
    count = positives + negatives
    is_word = (torch.arange(count) < positives)[None]
    shared = torch.zeros(1, count) if overlap is None else overlap
    return Match(torch.zeros(1, count, dtype=torch.int64), shared, is_word, ~is_word)


def test_words_are_sampled_up_to_their_share_and_background_fills_the_room() -> None:
    for positives, negatives, wanted in ((20, 100, (5, 11)), (3, 100, (3, 13)), (20, 4, (5, 4)), (0, 100, (0, 16))):
        match = drawn_from(positives, negatives)
        words, background = sample(match, 16, 5)
        assert (int(words.sum()), int(background.sum())) == wanted
        assert not (words & ~match.positive).any()
        assert not (background & ~match.negative).any()


def test_background_of_rare_overlap_is_drawn_more_often_with_bins() -> None:
    torch.manual_seed(0)
    shared = torch.cat([torch.full((1, 190), 0.01), torch.full((1, 10), 0.4)], dim=1)
    match = drawn_from(0, 200, shared)
    near = [
        torch.stack([sample(match, 16, 0, bins)[1][0, 190:].sum() for _ in range(60)]).float().mean() for bins in (0, 4)
    ]
    assert 0.3 < near[0] < 1.4, "10 of 200: 0.8 of 16"
    assert 5 < near[1] <= 10, "about half of 16"


def test_suppression_keeps_what_a_suppressed_box_would_have_beaten() -> None:
    row = boxes((0, 0, 10, 10), (4, 0, 14, 10), (8, 0, 18, 10))
    assert suppress(row[None], 0.4).tolist() == [[True, False, True]]


def test_lists_are_suppressed_as_by_torchs_own_nms() -> None:
    torch.manual_seed(2)
    lists = torch.stack([random_boxes(150, 60) for _ in range(4)])
    stays = suppress(lists, 0.5)
    scores = torch.linspace(1, 0, 150)
    for one, kept in zip(lists, stays, strict=True):
        assert kept.nonzero().flatten().tolist() == sorted(nms(one, scores, 0.5).tolist())
    assert 0 < stays.float().mean() < 1
