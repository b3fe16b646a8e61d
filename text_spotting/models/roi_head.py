"""Standard RoI head plus the text branch: pooler, head, features, present when configured."""

import torch
from mmdet.models.roi_heads import StandardRoIHead
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.registry import MODELS, TASK_UTILS
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox2roi
from mmdet.utils import ConfigType
from mmengine.structures import InstanceData
from torch import Tensor

from text_spotting.models.roi_extractors import Pyramid


@MODELS.register_module()
class TextRoIHead(StandardRoIHead):
    """Boxes, masks and text of each RoI.

    Ground truth carries ``texts`` (n, T): symbol indices closed by the stop symbol and padded with the start
    symbol; a row of padding is a word whose text is not known. ``train_cfg`` names a ``text_assigner`` and
    a ``text_sampler``, which choose the RoIs that the text head learns from.
    """

    def __init__(self, *args: object, text_roi_extractor: ConfigType, text_head: ConfigType, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.text_roi_extractor = MODELS.build(text_roi_extractor)
        self.text_head = MODELS.build(text_head)

    def init_assigner_sampler(self) -> None:
        super().init_assigner_sampler()
        if not self.train_cfg:
            return
        self.text_assigner = TASK_UTILS.build(self.train_cfg.text_assigner)
        self.text_sampler = TASK_UTILS.build(self.train_cfg.text_sampler, default_args={"context": self})

    def loss(
        self, x: Pyramid, rpn_results_list: list[InstanceData], batch_data_samples: list[DetDataSample]
    ) -> dict[str, Tensor]:
        proposals = [InstanceData(priors=result.bboxes) for result in rpn_results_list]
        losses = super().loss(x, rpn_results_list, batch_data_samples)
        losses.update(self.text_loss(x, proposals, batch_data_samples))
        return losses

    def text_features(self, x: Pyramid, rois: Tensor) -> Tensor:
        """RoIs (N, 5: image index, x1, y1, x2, y2) to the features (N, C, h, w) that the text head reads."""
        return self.text_roi_extractor(x.finest(self.text_roi_extractor.num_inputs), rois)

    def text_loss(
        self, x: Pyramid, proposals: list[InstanceData], batch_data_samples: list[DetDataSample]
    ) -> dict[str, Tensor]:
        """Loss of reading the RoIs that lie well on a word with a known text."""
        samples = [self._sample_text(one, sample) for one, sample in zip(proposals, batch_data_samples, strict=True)]
        rois = bbox2roi([sample.pos_priors for sample in samples])
        targets = torch.cat(
            [
                sample.gt_instances.texts[result.pos_assigned_gt_inds]
                for result, sample in zip(samples, batch_data_samples, strict=True)
            ]
        )
        keep = self.text_head.readable(rois, targets)
        if not keep.any():
            return self._no_text_loss(x)
        return self.text_head.loss(self.text_features(x, rois[keep]), targets[keep])

    def _sample_text(self, proposals: InstanceData, sample: DetDataSample) -> SamplingResult:
        assigned = self.text_assigner.assign(proposals, sample.gt_instances, sample.ignored_instances)
        return self.text_sampler.sample(assigned, proposals, sample.gt_instances)

    def _no_text_loss(self, x: Pyramid) -> dict[str, Tensor]:
        # Every parameter must take part in every step, or distributed training waits for ever.
        height, width = x.picture.shape[-2:]
        anywhere = x.picture.new_tensor([[0, 0, 0, width, height]])
        nothing = torch.zeros(1, 1, dtype=torch.int64, device=anywhere.device)
        losses = self.text_head.loss(self.text_features(x, anywhere), nothing)
        return {name: loss * 0.0 for name, loss in losses.items()}
