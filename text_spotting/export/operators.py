"""Operators that run as mmcv's in PyTorch and become their plain ONNX twins when traced."""

from typing import Any

import torch
from mmcv import ops
from torch import Tensor


class RoiAlign(torch.autograd.Function):
    """RoIAlign with half-pixel centres ("aligned"): ONNX opset 16."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, boxes: Tensor, size: tuple[int, int], spatial_scale: float, sampling_ratio: int
    ) -> Tensor:
        rois = torch.cat([boxes.new_zeros(len(boxes), 1), boxes], dim=1)
        return ops.roi_align(features, rois, size, spatial_scale, sampling_ratio, "avg", True)

    @staticmethod
    def symbolic(
        g: Any, features: Any, boxes: Any, size: tuple[int, int], spatial_scale: float, sampling_ratio: int
    ) -> Any:
        # All RoIs lie in image 0: as many zeros as there are boxes.
        count = g.op("Gather", g.op("Shape", boxes), _integers(g, [0]), axis_i=0)
        images = g.op("ConstantOfShape", count, value_t=torch.zeros(1, dtype=torch.int64))
        return g.op(
            "RoiAlign",
            features,
            boxes,
            images,
            output_height_i=size[0],
            output_width_i=size[1],
            spatial_scale_f=spatial_scale,
            sampling_ratio_i=sampling_ratio,
            mode_s="avg",
            coordinate_transformation_mode_s="half_pixel",
        )


class NonMaxSuppression(torch.autograd.Function):
    """Indices of the boxes that no better box overlaps, best first."""

    @staticmethod
    def forward(ctx: Any, boxes: Tensor, scores: Tensor, iou_thr: float, score_thr: float, most: int) -> Tensor:
        candidates = (scores > score_thr).nonzero().squeeze(1)
        if not len(candidates):
            return candidates
        _, kept = ops.nms(boxes[candidates], scores[candidates], iou_thr)
        return candidates[kept[:most]]

    @staticmethod
    def symbolic(g: Any, boxes: Any, scores: Any, iou_thr: float, score_thr: float, most: int) -> Any:
        selected = g.op(
            "NonMaxSuppression",
            g.op("Unsqueeze", boxes, _integers(g, [0])),
            g.op("Unsqueeze", scores, _integers(g, [0, 1])),
            _integers(g, [most]),
            _floats(g, [iou_thr]),
            _floats(g, [score_thr]),
        )
        return g.op("Gather", selected, _integers(g, 2), axis_i=1)


class TopK(torch.autograd.Function):
    """The ``most`` largest of a row of values, or all where there are fewer, with their indices; largest first."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, most: int) -> tuple[Tensor, Tensor]:
        best, indices = values.topk(min(most, len(values)))
        ctx.mark_non_differentiable(indices)
        return best, indices

    @staticmethod
    def symbolic(g: Any, values: Any, most: int) -> Any:
        count = g.op("Min", _integers(g, [most]), g.op("Shape", values))
        return g.op("TopK", values, count, outputs=2)


def _integers(g: Any, values: int | list[int]) -> Any:
    return g.op("Constant", value_t=torch.tensor(values, dtype=torch.int64))


def _floats(g: Any, values: list[float]) -> Any:
    return g.op("Constant", value_t=torch.tensor(values, dtype=torch.float32))
