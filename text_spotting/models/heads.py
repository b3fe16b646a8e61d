"""Box heads whose convolutions may run in half precision, while boxes and losses stay in float32."""

from mmdet.models.dense_heads import RPNHead
from mmdet.models.roi_heads.bbox_heads import Shared2FCBBoxHead
from mmdet.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class WordRPNHead(RPNHead):
    """Region proposal network; non-maximum suppression needs float32."""

    def forward_single(self, x: Tensor) -> tuple[Tensor, Tensor]:
        scores, deltas = super().forward_single(x)
        return scores.float(), deltas.float()


@MODELS.register_module()
class WordBBoxHead(Shared2FCBBoxHead):
    """Classification and box regression; a bfloat16 box would be rounded to 4 pixels at 1000."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        scores, deltas = super().forward(x)
        return scores.float(), deltas.float()
