"""Box heads whose convolutions may run in half precision, while boxes and losses stay in float32."""

from typing import Any

from mmdet.models.dense_heads import RPNHead
from mmdet.models.roi_heads.bbox_heads import Shared2FCBBoxHead
from mmdet.registry import MODELS
from torch import Tensor, nn

from text_spotting.models.lcnet import Depthwise
from text_spotting.models.processes import mean_count, share


@MODELS.register_module()
class WordRPNHead(RPNHead):
    """Region proposal network; non-maximum suppression needs float32."""

    def forward_single(self, x: Tensor) -> tuple[Tensor, Tensor]:
        scores, deltas = super().forward_single(x)
        return scores.float(), deltas.float()

    def get_targets(self, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """As mmdet's, divided by the samples of all processes."""
        *targets, samples = super().get_targets(*args, **kwargs)
        return (*targets, float(mean_count(samples)))


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

    def loss(
        self,
        cls_score: Tensor,
        bbox_pred: Tensor,
        rois: Tensor,
        labels: Tensor,
        label_weights: Tensor,
        bbox_targets: Tensor,
        bbox_weights: Tensor,
        **kwargs: Any,
    ) -> dict[str, Tensor]:
        """As mmdet's, averaged over the boxes of all processes."""
        losses = super().loss(cls_score, bbox_pred, rois, labels, label_weights, bbox_targets, bbox_weights, **kwargs)
        losses["loss_cls"] = losses["loss_cls"] * share((label_weights > 0).sum())
        losses["loss_bbox"] = losses["loss_bbox"] * share(len(bbox_targets))
        return losses
