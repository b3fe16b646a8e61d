"""Matching boxes to words for a whole batch at once, as mmdet's assigners and samplers do it image by image."""

from typing import NamedTuple

import torch
from torch import Tensor


class Truth(NamedTuple):
    """The words of a batch, padded.

    Attributes:
        boxes: (B, G, 4) x1, y1, x2, y2; rows of zeros where there is no word.
        polygons: (B, G, 4, 2) corners.
        ignored: (B, I, 4) boxes of don't-care regions, padded likewise.
    """

    boxes: Tensor
    polygons: Tensor
    ignored: Tensor


class Match(NamedTuple):
    """What each of the boxes (B, N) is.

    Attributes:
        word: (B, N) the word that it overlaps most.
        overlap: (B, N) by how much, as intersection over union; -1 for an anchor in a don't-care region.
        positive, negative: (B, N) whether it learns that word, or to be background; neither is left alone.
    """

    word: Tensor
    overlap: Tensor
    positive: Tensor
    negative: Tensor


def pairwise(boxes: Tensor, others: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Intersections (..., N, M) of boxes (..., N, 4) and others (..., M, 4), and the areas (..., N) and (..., M)."""
    shared = _common(boxes, others, 0).mul_(_common(boxes, others, 1))
    return shared, area(boxes), area(others)


def _common(boxes: Tensor, others: Tensor, axis: int) -> Tensor:
    """What boxes (..., N, 4) and others (..., M, 4) share along an axis, (..., N, M)."""
    low = torch.maximum(boxes[..., :, None, axis], others[..., None, :, axis])
    high = torch.minimum(boxes[..., :, None, axis + 2], others[..., None, :, axis + 2])
    return high.sub_(low).clamp_(min=0)


def area(boxes: Tensor) -> Tensor:
    """Areas (...) of boxes (..., 4)."""
    width, height = (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).unbind(dim=-1)
    return width * height


def overlaps(boxes: Tensor, others: Tensor) -> Tensor:
    """Intersection over union (..., N, M)."""
    shared, own, other = pairwise(boxes, others)
    union = (own[..., :, None] + other[..., None, :]).sub_(shared).clamp_(min=1e-6)
    return shared.div_(union)


def covered(boxes: Tensor, others: Tensor) -> Tensor:
    """The largest share (..., N) of each box's own area that one of the others covers; 0 where there are none."""
    shared, own, _ = pairwise(boxes, others)
    if not others.shape[-2]:
        return shared.new_zeros(shared.shape[:-1])
    return shared.amax(dim=-1) / own.clamp(min=1e-6)


def match_anchors(anchors: Tensor, truth: Truth, high: float, low: float, ignore: float) -> Match:
    """Anchors (A, 4) against the words of each image (mmdet's ``MaxIoUAssigner`` with low-quality matches).

    An anchor learns a word from an overlap of ``high`` on, or where no anchor overlaps the word more and the overlap
    is at least ``low``; it is background below ``low``. Anchors with more than ``ignore`` of their area in a don't-care
    region are left alone.
    """
    free = covered(anchors, truth.ignored) <= ignore
    shared = overlaps(anchors, truth.boxes).masked_fill_(~free[..., None], -1)
    overlap, word = shared.max(dim=2)
    best = shared.amax(dim=1, keepdim=True)
    favourite = (shared == best).logical_and_((best >= low) & (best > 0))
    # An anchor that is the best of several words learns the last of them.
    number = torch.arange(1, shared.shape[2] + 1, dtype=torch.int16, device=shared.device)
    last = (favourite * number).amax(dim=2)
    chosen = last > 0
    word = torch.where(chosen, last.long() - 1, word)
    positive = (overlap >= high) | chosen
    return Match(word, overlap, positive, (overlap < low) & ~positive & free)


def match_proposals(
    boxes: Tensor, valid: Tensor, truth: Truth, high: float, ignore: float, joined: float, held: float
) -> Match:
    """Proposals (B, N, 4) against words; ``valid`` (B, N) tells proposals from padding.

    Those that hold two words by more than a share ``held`` of each and fit neither by ``joined`` are background.
    """
    shared, own, words = pairwise(boxes, truth.boxes)
    union = (own[..., None] + words[..., None, :] - shared).clamp(min=1e-6)
    overlap, word = (shared / union).max(dim=2)
    inside = (shared / words[..., None, :].clamp(min=1e-6) > held) & (words[..., None, :] > 0)
    two = (inside.sum(dim=2) > 1) & (overlap < joined)
    free = (covered(boxes, truth.ignored) <= ignore) & valid
    positive = (overlap >= high) & ~two & free
    return Match(word, overlap, positive, free & ~positive)


def sample(match: Match, count: int, positives: int, bins: int = 0) -> tuple[Tensor, Tensor]:
    """Choose at random up to ``count`` boxes an image, at most ``positives`` of them words.

    With ``bins``, background is drawn about evenly from that many ranges of overlap, as in Libra R-CNN (Pang et al.
    2019, arXiv 1904.02701).

    Returns:
        Two masks (B, N): the chosen words and the chosen background.
    """
    chosen = _draw(match.positive, torch.rand_like(match.overlap), positives)
    room = count - chosen.sum(dim=1, keepdim=True)
    luck = torch.rand_like(match.overlap).clamp(min=1e-6)
    if bins:
        luck = luck ** _crowd(match, bins)
    return chosen, _draw(match.negative, luck, count, room)


def _crowd(match: Match, bins: int) -> Tensor:
    """How many background boxes of an image share each one's range of overlap, (B, N)."""
    top = torch.where(match.negative, match.overlap, 0).amax(dim=1, keepdim=True).clamp(min=1e-6)
    place = (match.overlap / top * bins).long().clamp(max=bins - 1)
    counts = torch.zeros(len(place), bins, device=place.device)
    counts.scatter_add_(1, place, match.negative.float())
    return counts.gather(1, place).clamp(min=1)


def _draw(among: Tensor, luck: Tensor, most: int, room: Tensor | None = None) -> Tensor:
    """The luckiest ``most`` of each row (B, N), and of these no more than ``room`` (B, 1)."""
    most = min(most, among.shape[1])
    best, rows = torch.where(among, luck, -1.0).topk(most, dim=1)
    taken = best >= 0
    if room is not None:
        taken &= torch.arange(most, device=among.device) < room
    return torch.zeros_like(among).scatter(1, rows, taken)


def suppress(boxes: Tensor, threshold: float) -> Tensor:
    """Greedy non-maximum suppression of many lists at once: which of boxes (L, N, 4), best first, stay.

    A box stays unless a better one that stays overlaps it by more than ``threshold``. That is asked again and again of
    all boxes at once until nothing changes, which is after as many rounds as the longest chain of overlaps.
    """
    over = (overlaps(boxes, boxes) > threshold).triu(diagonal=1)
    stays = torch.ones(boxes.shape[:2], dtype=torch.bool, device=boxes.device)
    for _ in range(boxes.shape[1]):
        beaten = (over & stays[..., None]).any(dim=1)
        if torch.equal(~beaten, stays):
            return stays
        stays = ~beaten
    return stays
