"""Box heads whose convolutions may run in half precision, while boxes and losses stay in float32."""

import torch
from mmdet.models.dense_heads import RPNHead
from mmdet.models.roi_heads.bbox_heads import Shared2FCBBoxHead
from mmdet.registry import MODELS
from mmdet.structures.bbox import bbox_overlaps
from torch import Tensor, nn

from text_spotting.models.lcnet import Depthwise


@MODELS.register_module()
class WordRPNHead(RPNHead):
    """Region proposal network; non-maximum suppression needs float32."""

    def forward_single(self, x: Tensor) -> tuple[Tensor, Tensor]:
        scores, deltas = super().forward_single(x)
        return scores.float(), deltas.float()


@MODELS.register_module()
class SeparableRPNHead(WordRPNHead):
    """Region proposals from a depthwise and a pointwise convolution, a seventh of a full one's arithmetic."""

    def _init_layers(self) -> None:
        super()._init_layers()
        pointwise = nn.Conv2d(self.in_channels, self.feat_channels, 1)
        self.rpn_conv = nn.Sequential(Depthwise(self.in_channels, 3), pointwise)

    def init_weights(self) -> None:
        """As mmdet's, but two thin convolutions in a row keep their signal's variance; 0.01 each would fade it."""
        super().init_weights()
        for weight in (part.weight for part in self.rpn_conv if isinstance(part, nn.Conv2d)):
            nn.init.kaiming_normal_(weight, nonlinearity="linear")


@MODELS.register_module()
class WordBBoxHead(Shared2FCBBoxHead):
    """Classification and box regression; a bfloat16 box would be rounded to 4 pixels at 1000."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        scores, deltas = super().forward(x)
        return scores.float(), deltas.float()


@MODELS.register_module()
class QualityBBoxHead(WordBBoxHead):
    """Classifies by how well the box that it predicts fits its word, so that suppression keeps the one that fits best.

    A word's soft label grows from 0 to 1 with the overlap of the predicted box and the true one, as in the varifocal
    loss (Zhang et al. 2021, arXiv 2008.13367); the loss is plain cross-entropy.

    Args:
        fit: overlaps (IoU) whose labels are 0 and 1.
    """

    def __init__(self, *args: object, fit: tuple[float, float] = (0.4, 0.9), **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fit = fit

    def loss(
        self,
        cls_score: Tensor,
        bbox_pred: Tensor,
        rois: Tensor,
        labels: Tensor,
        label_weights: Tensor,
        bbox_targets: Tensor,
        bbox_weights: Tensor,
        reduction_override: str | None = None,
    ) -> dict[str, Tensor]:
        losses = super().loss(None, bbox_pred, rois, labels, label_weights, bbox_targets, bbox_weights)
        quality = self.quality(bbox_pred, rois, labels, bbox_targets)
        likelihoods = cls_score.log_softmax(dim=1)
        each = -(quality * likelihoods[:, 0] + (1 - quality) * likelihoods[:, 1])
        losses["loss_cls"] = (each * label_weights).sum() / (label_weights > 0).sum().clamp(min=1)
        return losses

    @torch.no_grad()
    def quality(self, bbox_pred: Tensor, rois: Tensor, labels: Tensor, bbox_targets: Tensor) -> Tensor:
        """Soft labels (N,) of RoIs (N, 5) whose predicted and true boxes are given as deltas (N, 4)."""
        predicted, true = (self.bbox_coder.decode(rois[:, 1:], deltas) for deltas in (bbox_pred, bbox_targets))
        low, high = self.fit
        fit = (bbox_overlaps(predicted, true, is_aligned=True) - low) / (high - low)
        return fit.clamp(0, 1) * (labels == 0)
