"""The three exported graphs as modules of plain tensors, equal to the network's own prediction.

mmdet predicts with lists of objects and decisions on data, which no graph can hold; these twins compute the same
with tensor operations only. ``tests/test_export_graphs.py`` compares them with the original.
"""

from typing import Any

import torch
from torch import Tensor, nn

from text_spotting.export.folding import fold_downscale, fold_pixels
from text_spotting.export.operators import NonMaxSuppression, RoiAlign, TopK
from text_spotting.manifest import Manifest
from text_spotting.models.frames import reading_frames
from text_spotting.models.proposals import proposal_count
from text_spotting.models.roi_extractors import widen
from text_spotting.models.roi_head import RectifyingRoIHead


class DetectorGraph(nn.Module):
    """Everything up to the text encoder, for one normalised image [1, 3, H, W].

    Returns boxes [N, 5] (x1, y1, x2, y2, score in input pixels), labels [N], masks [N, M, M] and
    text_features [N, C, h, w].
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network: Any = fold_downscale(network)
        roi_head = self.network.roi_head
        self.proposals = ProposalGraph(self.network.rpn_head, self.network.test_cfg.rpn)
        self.boxes = BoxGraph(roi_head, self.network.test_cfg.rcnn)
        self.masks = OrderedPooling(roi_head.mask_roi_extractor)
        self.text = pooling(roi_head)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        levels = self.network.extract_feat(image)
        size = torch.stack([image.new_tensor(image.shape[3]), image.new_tensor(image.shape[2])])
        proposals = self.proposals(levels, size)
        boxes, scores = self.boxes(levels, proposals, size)
        masks = self.network.roi_head.mask_head(self.masks(levels, boxes))[:, 0].sigmoid()
        found = torch.cat([boxes, scores.unsqueeze(1)], dim=1)
        return found, torch.zeros_like(scores, dtype=torch.int64), masks, self.text(levels, boxes, masks)


class RawDetectorGraph(DetectorGraph):
    """The same for a raw image, 0..255 in the manifest's ``input_order``: mean, scale and order are inside.

    They are folded into weights, and applied to the few pixels that the text branch pools rather than to all.
    """

    def __init__(self, network: Any, manifest: Manifest) -> None:
        same_order = (manifest.input_order == "RGB") == manifest.to_rgb
        order = [0, 1, 2] if same_order else [2, 1, 0]
        super().__init__(fold_pixels(network, order, manifest.std))
        self.mean: Tensor
        self.register_buffer("mean", torch.tensor(manifest.mean)[order].view(1, 3, 1, 1))
        if isinstance(self.text, RectifiedPooling):
            self.text = NormalisedPooling(self.text, order, manifest.std)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return super().forward(image - self.mean)


class ProposalGraph(nn.Module):
    """Region proposals: the best anchors of each level, decoded, without near-duplicates within a level."""

    def __init__(self, head: Any, settings: Any) -> None:
        super().__init__()
        self.head = head
        self.settings = settings

    def forward(self, levels: tuple[Tensor, ...], size: Tensor) -> Tensor:
        best = (self._best(index, level) for index, level in enumerate(levels))
        anchors, deltas, logits, owners = (torch.cat(parts) for parts in zip(*best, strict=True))
        boxes = decode(anchors, deltas, self.head.bbox_coder, size)
        width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        too_small = (width <= self.settings.min_bbox_size) | (height <= self.settings.min_bbox_size)
        scores = logits.sigmoid().masked_fill(too_small, -1.0)
        # Levels are moved apart so that boxes of different levels never overlap.
        apart = boxes + (owners * (size.max() + 1)).unsqueeze(1)
        kept = NonMaxSuppression.apply(apart, scores, self.settings.nms.iou_threshold, 0.0, self.settings.max_per_img)
        return boxes[kept[: proposal_count(scores[kept], self.settings)]]

    def _best(self, index: int, level: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Anchors, deltas, logits and level of the likeliest anchors, looked up in maps that stay as they lie."""
        logits, deltas = self.head.forward_single(level)
        cells = level.shape[2] * level.shape[3]
        best, chosen = TopK.apply(logits.reshape(-1), self.settings.nms_pre)
        # Logits have one map an anchor, deltas four in a row.
        first = chosen + torch.div(chosen, cells, rounding_mode="floor") * (3 * cells)
        rows = first.unsqueeze(1) + torch.arange(4) * cells
        return self._anchors(index, level)[chosen], deltas.reshape(-1)[rows], best, torch.full_like(best, index)

    def _anchors(self, index: int, level: Tensor) -> Tensor:
        """Anchors [A H W, 4] in the order of a map [A, H, W]."""
        generator = self.head.prior_generator
        step_x, step_y = generator.strides[index]
        xs = torch.arange(level.shape[3], dtype=level.dtype) * step_x
        ys = torch.arange(level.shape[2], dtype=level.dtype) * step_y
        grid_y, grid_x = torch.meshgrid(ys, xs, indexing="ij")
        shifts = torch.stack([grid_x, grid_y, grid_x, grid_y], dim=-1).reshape(1, -1, 4)
        return (generator.base_anchors[index].to(level).unsqueeze(1) + shifts).reshape(-1, 4)


class BoxGraph(nn.Module):
    """Proposals classified and refined; those above the score threshold, without duplicates, best first."""

    def __init__(self, roi_head: Any, settings: Any) -> None:
        super().__init__()
        self.pooling = LevelPooling(roi_head.bbox_roi_extractor)
        self.head = roi_head.bbox_head
        self.settings = settings

    def forward(self, levels: tuple[Tensor, ...], proposals: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
        for _ in range(self.settings.get("refinements", 0)):
            proposals, _, deltas = self._predict(levels, proposals)
            proposals = decode(proposals, deltas, self.head.bbox_coder, size)
        proposals, logits, deltas = self._predict(levels, proposals)
        scores = logits.softmax(dim=1)[:, 0]
        boxes = decode(proposals, deltas, self.head.bbox_coder, size)
        kept = NonMaxSuppression.apply(
            boxes, scores, self.settings.nms.iou_threshold, self.settings.score_thr, self.settings.max_per_img
        )
        return boxes[kept], scores[kept]

    def _predict(self, levels: tuple[Tensor, ...], proposals: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Proposals in the order of their levels, which is as good as any here, with logits and deltas."""
        pooled, places = self.pooling(levels, proposals)
        logits, deltas = self.head(pooled)
        return proposals[places], logits, deltas


class LevelPooling(nn.Module):
    """RoIAlign in which each box reads one pyramid level, chosen by its size (Lin et al. 2017, FPN, eq. 1).

    Boxes are pooled level by level, so that nothing is computed twice. Returns what is pooled [N, C, h, w], the finest
    level's first, and the place [N] of each in ``boxes``.
    """

    def __init__(self, extractor: Any) -> None:
        super().__init__()
        self.extractor = extractor

    def forward(self, levels: tuple[Tensor, ...], boxes: Tensor) -> tuple[Tensor, Tensor]:
        layers = self.extractor.roi_layers
        rois = torch.cat([torch.zeros_like(boxes[:, :1]), boxes], dim=1)
        chosen = self.extractor.map_roi_levels(rois, len(layers))
        rows = [(chosen == index).nonzero().squeeze(1) for index in range(len(layers))]
        pooled = [
            align(layer, level, boxes[row])
            for layer, level, row in zip(layers, levels[: len(layers)], rows, strict=True)
        ]
        return torch.cat(pooled), torch.cat(rows)


class OrderedPooling(nn.Module):
    """The same in the order of the boxes."""

    def __init__(self, extractor: Any) -> None:
        super().__init__()
        self.by_level = LevelPooling(extractor)

    def forward(self, levels: tuple[Tensor, ...], boxes: Tensor) -> Tensor:
        pooled, places = self.by_level(levels, boxes)
        back = torch.zeros_like(places).scatter(0, places, torch.arange(places.shape[0]))
        return pooled[back]


class BoxPooling(nn.Module):
    """Text features from pyramid levels."""

    def __init__(self, roi_head: Any) -> None:
        super().__init__()
        self.pooling = OrderedPooling(roi_head.text_roi_extractor)

    def forward(self, levels: Any, boxes: Tensor, masks: Tensor) -> Tensor:
        return self.pooling(levels, boxes)


class RectifiedPooling(nn.Module):
    """Words pooled upright from the network's input, as their masks lie."""

    def __init__(self, roi_head: Any) -> None:
        super().__init__()
        self.extractor = roi_head.text_roi_extractor
        self.mask_thr: float = roi_head.test_cfg.mask_thr_binary

    def forward(self, levels: Any, boxes: Tensor, masks: Tensor) -> Tensor:
        frames = reading_frames(boxes, masks, self.mask_thr)
        return self.extractor.pool(levels.image, widen(frames, self.extractor.margin))


class NormalisedPooling(nn.Module):
    """Pools raw pixels less the mean, and puts them in the network's order and scale afterwards."""

    def __init__(self, pooling: RectifiedPooling, order: list[int], std: tuple[float, float, float]) -> None:
        super().__init__()
        self.pooling = pooling
        self.order = order
        self.std: Tensor
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))

    def forward(self, levels: Any, boxes: Tensor, masks: Tensor) -> Tensor:
        return self.pooling(levels, boxes, masks)[:, self.order] / self.std


def pooling(roi_head: Any) -> nn.Module:
    """What an RoI head's text features come from."""
    return RectifiedPooling(roi_head) if isinstance(roi_head, RectifyingRoIHead) else BoxPooling(roi_head)


def align(layer: Any, features: Tensor, boxes: Tensor) -> Tensor:
    """Pool ``boxes`` [N, 4] as mmcv's layer would."""
    return RoiAlign.apply(features, boxes, tuple(layer.output_size), float(layer.spatial_scale), layer.sampling_ratio)


def decode(boxes: Tensor, deltas: Tensor, coder: Any, size: Tensor) -> Tensor:
    """Move and scale boxes (R-CNN, Girshick et al. 2014, appendix C) and clip them to the input.

    Args:
        boxes: [N, 4] anchors or proposals.
        deltas: [N, 4] what the network says.
        coder: mmdet's, for its means, standard deviations and limits.
        size: [2] width and height of the input.
    """
    deltas = deltas * deltas.new_tensor(coder.stds) + deltas.new_tensor(coder.means)
    extent = boxes[:, 2:] - boxes[:, :2]
    centre = (boxes[:, :2] + boxes[:, 2:]) * 0.5 + extent * deltas[:, :2]
    half = extent * deltas[:, 2:].clamp(-_LARGEST_LOG_RATIO, _LARGEST_LOG_RATIO).exp() * 0.5
    corners = torch.cat([centre - half, centre + half], dim=1)
    return torch.minimum(corners.clamp(min=0), torch.cat([size, size]))


_LARGEST_LOG_RATIO = 4.135166556742356
"""log(1000 / 16), mmdet's limit on how much a box may grow or shrink."""


class EncoderGraph(nn.Module):
    """Text features [N, C, h, w] to what the decoder attends over [N, D, h', w']."""

    def __init__(self, text_head: Any) -> None:
        super().__init__()
        self.encoder = text_head.encoder

    def forward(self, features: Tensor) -> Tensor:
        return self.encoder(features)


class RecognizerGraph(nn.Module):
    """Words [N, 3, 32, W], W a multiple of 4, to probabilities [N, W / 4, classes] of the symbols in their columns."""

    def __init__(self, text_head: Any) -> None:
        super().__init__()
        self.encoder = text_head.encoder
        self.classifier = text_head.ctc

    def forward(self, words: Tensor) -> Tensor:
        return self.classifier(self.encoder.columns(words))


class DecoderStepGraph(nn.Module):
    """One symbol.

    Takes prev_symbol [N], prev_hidden [1, N, H] and encoder_outputs [N, h'*w', D]; returns logits [N, classes],
    hidden [1, N, H] and attention [N, h'*w'].
    """

    def __init__(self, text_head: Any) -> None:
        super().__init__()
        self.decoder = text_head.decoder

    def forward(self, symbol: Tensor, hidden: Tensor, encoder_outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        memory = self.decoder.memorise(encoder_outputs)
        logits, state, attention = self.decoder.step(hidden[0], symbol, memory)
        return logits, state.unsqueeze(0), attention
