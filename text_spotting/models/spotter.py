"""The whole network: Mask R-CNN with a text branch."""

import torch
from mmdet.models.detectors import MaskRCNN
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox2roi
from torch import Tensor

from text_spotting.contract import Detections
from text_spotting.models.proposals import proposal_count
from text_spotting.models.roi_extractors import Pyramid


@MODELS.register_module()
class MaskTextSpotter(MaskRCNN):
    """Mask R-CNN (He et al. 2017, arXiv 1703.06870) that also reads each word it finds.

    ``roi_head`` is a ``TextRoIHead``.
    """

    def extract_feat(self, batch_inputs: Tensor) -> Pyramid:
        """Pyramid levels of (N, 3, H, W) and the image itself, as RoIAlign needs them.

        mmcv's operator takes float32 only, and on CPUs reads whatever it gets as if channels came first.
        """
        levels = (level.float().contiguous() for level in super().extract_feat(batch_inputs))
        return Pyramid.of(levels, batch_inputs.contiguous())

    @torch.no_grad()
    def recognize(self, crops: Tensor) -> Tensor:
        """Read words at their own width, see ``TextRecognitionHead.recognize``."""
        probabilities: Tensor = self.roi_head.text_head.recognize(crops)
        return probabilities

    @torch.no_grad()
    def detect(self, image: Tensor) -> Detections[Tensor]:
        """Find words in one normalised image (1, 3, H, W)."""
        sample = DetDataSample(metainfo={"img_shape": tuple(image.shape[-2:]), "scale_factor": (1.0, 1.0)})
        x = self.extract_feat(image)
        proposals = self.rpn_head.predict(x, [sample], rescale=False)
        proposals[0] = proposals[0][: int(proposal_count(proposals[0].scores, self.test_cfg.rpn))]
        proposals[0].bboxes = self.roi_head.refine(x, proposals[0].bboxes, tuple(image.shape[-2:]))
        found = self.roi_head.predict_bbox(x, [sample.metainfo], proposals, self.test_cfg.rcnn)[0]
        rois = bbox2roi([found.bboxes])
        masks = self.roi_head._mask_forward(x, rois)["mask_preds"][:, 0].sigmoid()
        return Detections(
            boxes=torch.cat([found.bboxes, found.scores[:, None]], dim=1),
            masks=masks,
            text_features=self.roi_head.text_features(x, rois, masks),
        )
