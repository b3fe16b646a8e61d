"""The detector's losses of a whole batch without a loop over images; the same sums as mmdet's."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from text_spotting.gpu.matching import Truth, match_anchors, match_proposals, sample, suppress
from text_spotting.models.assigner import HELD_IOF
from text_spotting.models.mask_head import rasterise


def detector_losses(network: Any, images: Tensor, truth: Truth) -> dict[str, Tensor]:
    """Losses of proposals, boxes and masks for normalised images (B, 3, H, W)."""
    size = images.shape[-2:]
    levels = network.extract_feat(images)
    logits, deltas, anchors = _anchored(network.rpn_head, levels)
    losses = proposal_losses(network, logits, deltas, torch.cat(anchors), truth)
    with torch.no_grad():
        boxes, valid = propose(network, logits.detach(), deltas.detach(), anchors, size)
        boxes, valid = _with_second_looks(network.roi_head, levels, boxes, valid, size)
        boxes, valid = torch.cat([boxes, truth.boxes], dim=1), torch.cat([valid, _is_word(truth.boxes)], dim=1)
    losses.update(box_losses(network.roi_head, levels, boxes, valid, truth))
    return losses


def _is_word(boxes: Tensor) -> Tensor:
    return (boxes[..., 2] > boxes[..., 0]) & (boxes[..., 3] > boxes[..., 1])


def _anchored(head: Any, levels: Any) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Logits (B, A), deltas (B, A, 4) and each level's anchors."""
    maps = [head.forward_single(level) for level in levels]
    logits = [scores.permute(0, 2, 3, 1).flatten(1) for scores, _ in maps]
    deltas = [moves.permute(0, 2, 3, 1).reshape(len(moves), -1, 4) for _, moves in maps]
    sizes = [scores.shape[-2:] for scores, _ in maps]
    anchors = head.prior_generator.grid_priors(sizes, device=logits[0].device)
    return torch.cat(logits, dim=1), torch.cat(deltas, dim=1), anchors


def proposal_losses(network: Any, logits: Tensor, deltas: Tensor, anchors: Tensor, truth: Truth) -> dict[str, Tensor]:
    """Cross entropy and L1 of sampled anchors, over the number of samples."""
    settings, head = network.train_cfg.rpn, network.rpn_head
    assigner, sampler = settings.assigner, settings.sampler
    with torch.no_grad():
        match = match_anchors(anchors, truth, assigner.pos_iou_thr, assigner.neg_iou_thr, assigner.ignore_iof_thr)
        words, background = sample(match, sampler.num, int(sampler.num * sampler.pos_fraction))
        count = (words | background).sum().clamp(min=1)
        image, place = words.nonzero(as_tuple=True)
        wanted = head.bbox_coder.encode(anchors[place], truth.boxes[image, match.word[image, place]])
    chosen = words | background
    scored = F.binary_cross_entropy_with_logits(logits[chosen], words[chosen].float(), reduction="sum")
    moved = (deltas[image, place] - wanted).abs().sum()
    return {"loss_rpn_cls": scored / count, "loss_rpn_bbox": moved / count}


def propose(network: Any, logits: Tensor, deltas: Tensor, anchors: list[Tensor], size: Any) -> tuple[Tensor, Tensor]:
    """Proposals (B, P, 4), and which of them are no padding, as training uses them."""
    settings, head = network.train_cfg.rpn_proposal, network.rpn_head
    boxes, scores = [], []
    counts = [len(level) for level in anchors]
    most = min(settings.nms_pre, max(counts))
    parts = (torch.split(each, counts, dim=1) for each in (logits, deltas))
    for level, own_logits, own_deltas in zip(anchors, *parts, strict=True):
        best, rows = own_logits.topk(min(settings.nms_pre, len(level)), dim=1)
        moves = own_deltas.gather(1, rows[..., None].expand(-1, -1, 4))
        found = head.bbox_coder.decode(level[rows].flatten(0, 1), moves.flatten(0, 1), max_shape=size)
        room = most - rows.shape[1]
        boxes.append(F.pad(found.view(*rows.shape, 4), (0, 0, 0, room)))
        scores.append(F.pad(best, (0, room)))
    # Lists of one length, so that all levels of all images are suppressed at once.
    lists = torch.stack(boxes)
    stays = suppress(lists.flatten(0, 1), settings.nms.iou_threshold).view(lists.shape[:3]) & _is_word(lists)
    every, luck = (each.transpose(0, 1).flatten(1, 2) for each in (lists, torch.stack(scores)))
    luck = luck.where(stays.transpose(0, 1).flatten(1, 2), float("-inf"))
    best, rows = luck.topk(min(settings.max_per_img, luck.shape[1]), dim=1)
    return every.gather(1, rows[..., None].expand(-1, -1, 4)), best > float("-inf")


def _with_second_looks(roi_head: Any, levels: Any, boxes: Tensor, valid: Tensor, size: Any) -> tuple[Tensor, Tensor]:
    """Proposals and what they become when refined, as ``TextRoIHead.loss`` has them."""
    if not roi_head.test_cfg.get("refinements", 0):
        return boxes, valid
    moved = boxes
    for _ in range(roi_head.test_cfg.refinements):
        deltas = roi_head._bbox_forward(levels, to_rois(moved))["bbox_pred"]
        moved = roi_head.bbox_head.bbox_coder.decode(moved.flatten(0, 1), deltas, max_shape=size).view_as(boxes)
    return torch.cat([boxes, moved], dim=1), torch.cat([valid, valid & _is_word(moved)], dim=1)


def to_rois(boxes: Tensor) -> Tensor:
    """(B, N, 4) to (B*N, 5) with the image's number in front."""
    owners = torch.arange(len(boxes), device=boxes.device, dtype=boxes.dtype)
    return torch.cat([owners[:, None, None].expand(-1, boxes.shape[1], 1), boxes], dim=2).flatten(0, 1)


def box_losses(roi_head: Any, levels: Any, boxes: Tensor, valid: Tensor, truth: Truth) -> dict[str, Tensor]:
    """Classification, regression and masks of sampled proposals."""
    settings = roi_head.train_cfg
    assigner, sampler = settings.assigner, settings.sampler
    with torch.no_grad():
        match = match_proposals(
            boxes, valid, truth, assigner.pos_iou_thr, assigner.ignore_iof_thr, assigner.joined_iou_thr, HELD_IOF
        )
        bins = sampler.neg_sampler.get("num_bins", 0) if "neg_sampler" in sampler else 0
        words, background = sample(match, sampler.num, int(sampler.num * sampler.pos_fraction), bins)
        image, place = (words | background).nonzero(as_tuple=True)
        is_word = words[image, place]
        rois = torch.cat([image[:, None].to(boxes), boxes[image, place]], dim=1)
    found = roi_head._bbox_forward(levels, rois)
    count = max(len(rois), 1)
    losses = {"loss_cls": F.cross_entropy(found["cls_score"], (~is_word).long(), reduction="sum") / count}
    moves, rois = found["bbox_pred"][is_word], rois[is_word]
    owner, word = image[is_word], match.word[image, place][is_word]
    wanted = roi_head.bbox_head.bbox_coder.encode(rois[:, 1:], truth.boxes[owner, word])
    losses["loss_bbox"] = (moves - wanted).abs().sum() / count
    losses["loss_mask"] = _mask_loss(roi_head, levels, rois, truth.polygons[owner, word])
    return losses


def _mask_loss(roi_head: Any, levels: Any, rois: Tensor, polygons: Tensor) -> Tensor:
    if not len(rois):
        return torch.stack([parameter.sum() for parameter in roi_head.mask_head.parameters()]).sum() * 0.0
    if len(rois) > _WHOLE:
        chosen = torch.randperm(len(rois), device=rois.device)[: len(rois) // _WHOLE * _WHOLE]
        rois, polygons = rois[chosen], polygons[chosen]
    masks = roi_head._mask_forward(levels, rois)["mask_preds"][:, 0]
    wanted = rasterise(polygons, rois[:, 1:], roi_head.train_cfg.mask_size)
    return F.binary_cross_entropy_with_logits(masks, wanted)


_WHOLE = 64
"""Masks are learned in multiples of so many: cuDNN plans a convolution anew for each number that it has not met."""
