"""Matching boxes to words, with don't-care regions that are left alone."""

from typing import Any

from mmdet.models.task_modules.assigners import AssignResult, MaxIoUAssigner
from mmdet.registry import TASK_UTILS
from mmengine.structures import InstanceData


@TASK_UTILS.register_module()
class WordAssigner(MaxIoUAssigner):
    """Max-IoU assignment in which don't-care regions hold in every image.

    mmdet calls every box of an image without words background, don't-care regions included; here a box
    that lies in one by more than ``ignore_iof_thr`` of its own area stays unassigned.

    Args:
        joined_iou_thr: a box that holds two words is background, unless it fits one of them by this IoU. By
            default it may pass for the larger word, as in mmdet.
    """

    def __init__(self, *args: Any, joined_iou_thr: float = 0.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.joined_iou_thr = joined_iou_thr

    def assign(
        self,
        pred_instances: InstanceData,
        gt_instances: InstanceData,
        gt_instances_ignore: InstanceData | None = None,
        **kwargs: object,
    ) -> AssignResult:
        result = super().assign(pred_instances, gt_instances, gt_instances_ignore, **kwargs)
        if not len(pred_instances):
            return result
        if len(gt_instances):
            return self._part_merged(result, pred_instances, gt_instances)
        if gt_instances_ignore is not None and len(gt_instances_ignore):
            covered = self.iou_calculator(pred_instances.priors, gt_instances_ignore.bboxes, mode="iof")
            result.gt_inds[covered.amax(dim=1) > self.ignore_iof_thr] = -1
        return result

    def _part_merged(
        self, result: AssignResult, pred_instances: InstanceData, gt_instances: InstanceData
    ) -> AssignResult:
        held = self.iou_calculator(gt_instances.bboxes, pred_instances.priors, mode="iof") > HELD_IOF
        joined = (held.sum(dim=0) > 1) & (result.max_overlaps < self.joined_iou_thr) & (result.gt_inds > 0)
        result.gt_inds[joined] = 0
        result.labels[joined] = -1
        return result


HELD_IOF = 0.7
"""Share of a word's box from which on it counts as held by another box."""
