"""Matching boxes to words, with don't-care regions that are left alone."""

from mmdet.models.task_modules.assigners import AssignResult, MaxIoUAssigner
from mmdet.registry import TASK_UTILS
from mmengine.structures import InstanceData


@TASK_UTILS.register_module()
class WordAssigner(MaxIoUAssigner):
    """Max-IoU assignment in which don't-care regions hold in every picture.

    mmdet calls every box of a picture without words background, don't-care regions included; here a box
    that lies in one by more than ``ignore_iof_thr`` of its own area stays unassigned.
    """

    def assign(
        self,
        pred_instances: InstanceData,
        gt_instances: InstanceData,
        gt_instances_ignore: InstanceData | None = None,
        **kwargs: object,
    ) -> AssignResult:
        result = super().assign(pred_instances, gt_instances, gt_instances_ignore, **kwargs)
        if len(gt_instances) or gt_instances_ignore is None or not len(gt_instances_ignore):
            return result
        covered = self.iou_calculator(pred_instances.priors, gt_instances_ignore.bboxes, mode="iof")
        if len(pred_instances):
            result.gt_inds[covered.amax(dim=1) > self.ignore_iof_thr] = -1
        return result
