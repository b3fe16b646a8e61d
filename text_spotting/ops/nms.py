"""Non-maximum suppression."""

import torch
from torch import Tensor

from text_spotting.ops import vision

_BLOCK = 256
"""Boxes that are compared with all others at once; more take more memory and no less time."""
_BLOCK_ON_GPU = 4096

NAIVE, LINEAR, GAUSSIAN = range(3)


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int = 0) -> Tensor:
    """Indices (K,) of the boxes (N, 4) that overlap no better one by more than ``iou_threshold``, best first.

    Args:
        offset: what is added to x2 - x1 for a box's width, and to y2 - y1: 1 where corners are whole pixels.
    """
    corners = boxes.float()
    if offset:
        corners = corners + corners.new_tensor([0, 0, offset, offset])
    fast = vision.operators()
    if fast is not None:
        kept: Tensor = fast.nms(corners, scores.float(), iou_threshold)
        return kept
    order = scores.argsort(descending=True, stable=True)
    return order[_suppress(corners[order], iou_threshold)]


def _suppress(boxes: Tensor, iou_threshold: float) -> Tensor:
    """Which boxes of (N, 4), best first, stay: (N,) truth values."""
    alive = torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    size = _BLOCK_ON_GPU if boxes.is_cuda else _BLOCK
    for start in range(0, len(boxes), size):
        block = torch.arange(start, min(start + size, len(boxes)), device=boxes.device)[alive[start : start + size]]
        own = boxes[block]
        kept = _greedy(_overlapping(own, own, iou_threshold))
        alive[block] = kept
        rest = boxes[start + size :]
        if len(rest):
            alive[start + size :] &= ~_overlapping(own[kept], rest, iou_threshold).any(dim=0)
    return alive


def _greedy(overlaps: Tensor) -> Tensor:
    """Who stays, of boxes that come best first and overlap as (N, N) says.

    A box goes when one before it that stays overlaps it. Who stays is settled for the first box, then for those
    that only it overlaps, and so on: as many rounds as the longest chain of boxes has links.
    """
    before = overlaps.triu(diagonal=1).float()
    stays = before.new_ones(len(before))
    while True:
        again = (stays @ before == 0).float()
        if torch.equal(again, stays):
            return stays.bool()
        stays = again


def _overlapping(first: Tensor, second: Tensor, iou_threshold: float) -> Tensor:
    """Whether boxes (N, 4) and (M, 4) overlap by more than a threshold: (N, M)."""
    # Most boxes do not touch at all, which is quicker seen than how much they overlap.
    found = first[:, None, 0] < second[:, 2]
    found &= first[:, None, 2] > second[:, 0]
    found &= first[:, None, 1] < second[:, 3]
    found &= first[:, None, 3] > second[:, 1]
    rows, columns = found.nonzero(as_tuple=True)
    found[rows, columns] = iou(first[rows], second[columns]) > iou_threshold
    return found


def iou(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union (N,) of boxes (N, 4) each with its partner; nan for two without area."""
    sides = torch.minimum(first[:, 2:], second[:, 2:]) - torch.maximum(first[:, :2], second[:, :2])
    shared = sides.clamp(min=0).prod(dim=1)
    return shared / (_areas(first) + _areas(second) - shared)


def _areas(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def soft_nms(
    boxes: Tensor,
    scores: Tensor,
    iou_threshold: float,
    sigma: float,
    min_score: float,
    method: int,
    offset: int = 0,
) -> tuple[Tensor, Tensor]:
    """Lower the score of boxes that overlap a better one (Bodla et al. 2017, arXiv 1704.04503).

    Args:
        boxes: (N, 4).
        method: ``NAIVE`` drops what overlaps by ``iou_threshold``, ``LINEAR`` multiplies its score with 1 - IoU,
            ``GAUSSIAN`` multiplies every score with exp(-IoU^2 / ``sigma``).
        min_score: boxes whose score falls below it are dropped.

    Returns:
        boxes with their new scores (K, 5), best first, and their indices (K,).
    """
    corners = boxes.float() + boxes.new_tensor([0, 0, offset, offset]).float()
    left, left_scores = torch.arange(len(boxes), device=boxes.device), scores.float()
    chosen, chosen_scores = [], []
    while len(left):
        best = int(left_scores.argmax())
        index = left[best]
        chosen.append(index)
        chosen_scores.append(left_scores[best])
        others = torch.arange(len(left), device=left.device) != best
        left, left_scores = left[others], left_scores[others]
        left_scores = left_scores * _weights(iou(corners[index][None], corners[left]), iou_threshold, sigma, method)
        left, left_scores = left[left_scores >= min_score], left_scores[left_scores >= min_score]
    kept = torch.stack(chosen) if chosen else left
    new_scores = torch.stack(chosen_scores) if chosen else left_scores
    return torch.cat([boxes[kept].float(), new_scores[:, None]], dim=1), kept


def _weights(overlaps: Tensor, iou_threshold: float, sigma: float, method: int) -> Tensor:
    if method == GAUSSIAN:
        return (-(overlaps**2) / sigma).exp()
    lowered = 1 - overlaps if method == LINEAR else torch.zeros_like(overlaps)
    return torch.where(overlaps >= iou_threshold, lowered, torch.ones_like(overlaps))
