"""Box heads whose convolutions may run in half precision, while boxes and losses stay in float32."""

from mmdet.models.dense_heads import RPNHead
from mmdet.models.roi_heads.bbox_heads import Shared2FCBBoxHead
from mmdet.registry import MODELS
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
