"""Mask head with targets drawn from polygons."""

from typing import Any

import torch
from mmdet.models.roi_heads.mask_heads import FCNMaskHead
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from torch import Tensor

from text_spotting.models.processes import share


@MODELS.register_module()
class PolygonMaskHead(FCNMaskHead):
    """FCN mask head whose targets are computed on the device, for all RoIs at once.

    Ground truth carries ``polygons`` (n, K, 2) in network pixels; short ones repeat their last point.
    """

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).float()

    def loss_and_target(self, mask_preds: Tensor, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """As mmdet's, averaged over the words of all processes."""
        result: dict[str, Any] = super().loss_and_target(mask_preds, *args, **kwargs)
        result["loss_mask"]["loss_mask"] = result["loss_mask"]["loss_mask"] * share(len(mask_preds))
        return result

    def get_targets(
        self,
        sampling_results: list[SamplingResult],
        batch_gt_instances: list[InstanceData],
        rcnn_train_cfg: ConfigDict,
    ) -> Tensor:
        boxes = [result.pos_priors for result in sampling_results]
        polygons = [
            truth.polygons[result.pos_assigned_gt_inds]
            for result, truth in zip(sampling_results, batch_gt_instances, strict=True)
        ]
        targets = [
            rasterise(one, box, rcnn_train_cfg.mask_size) for one, box in zip(polygons, boxes, strict=True) if len(box)
        ]
        size = rcnn_train_cfg.mask_size
        return torch.cat(targets) if targets else boxes[0].new_zeros(0, size, size)


def rasterise(polygons: Tensor, boxes: Tensor, size: int) -> Tensor:
    """Draw each polygon (N, K, 2) inside its box (N, 4) on a size x size grid.

    A cell is 1 when its centre is inside by the even-odd rule.
    """
    cells = (torch.arange(size, device=boxes.device, dtype=boxes.dtype) + 0.5) / size
    xs = boxes[:, None, 0] + cells * (boxes[:, None, 2] - boxes[:, None, 0])
    ys = boxes[:, None, 1] + cells * (boxes[:, None, 3] - boxes[:, None, 1])
    start = polygons[:, :, None, :]
    end = polygons.roll(-1, dims=1)[:, :, None, :]
    # A ray to the right of (x, y) crosses an edge that spans y, left of where the edge is at that height.
    spans = (start[..., 1] > ys[:, None]) != (end[..., 1] > ys[:, None])
    rise = end[..., 1] - start[..., 1]
    slope = (end[..., 0] - start[..., 0]) / torch.where(rise == 0, torch.ones_like(rise), rise)
    crossing = start[..., 0] + (ys[:, None] - start[..., 1]) * slope
    hits = spans[..., None] & (xs[:, None, None, :] < crossing[..., None])
    return (hits.sum(dim=1) % 2).to(boxes.dtype)
