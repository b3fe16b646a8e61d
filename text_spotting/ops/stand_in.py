"""A module in the place of ``mmcv._ext`` where mmcv is installed without compiled operators."""

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from text_spotting.ops.nms import nms, soft_nms
from text_spotting.ops.roi_align import roi_align, roi_align_gradient

NAME = "mmcv._ext"


class Operators(ModuleType):
    """mmcv's extension module: NMS, soft NMS and RoIAlign work, every other operator says so when it is called."""

    @staticmethod
    def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
        return nms(boxes, scores, iou_threshold, offset)

    @staticmethod
    def softnms(
        boxes: Tensor,
        scores: Tensor,
        dets: Tensor,
        iou_threshold: float,
        sigma: float,
        min_score: float,
        method: int,
        offset: int,
    ) -> Tensor:
        """Fills the first rows of ``dets`` (N, 5) and returns the indices of these boxes."""
        found, kept = soft_nms(boxes, scores, iou_threshold, sigma, min_score, method, offset)
        dets[: len(found)] = found
        return kept

    @staticmethod
    def roi_align_forward(
        input: Tensor,
        rois: Tensor,
        output: Tensor,
        argmax_y: Tensor,
        argmax_x: Tensor,
        aligned_height: int,
        aligned_width: int,
        spatial_scale: float,
        sampling_ratio: int,
        pool_mode: int,
        aligned: bool,
    ) -> None:
        """Fills ``output`` (R, C, h, w); ``pool_mode`` 0 would be the maximum, 1 is the mean."""
        _refuse_maximum(pool_mode)
        size = (aligned_height, aligned_width)
        output.copy_(roi_align(input, rois, size, spatial_scale, sampling_ratio, aligned))

    @staticmethod
    def roi_align_backward(
        grad_output: Tensor,
        rois: Tensor,
        argmax_y: Tensor,
        argmax_x: Tensor,
        grad_input: Tensor,
        aligned_height: int,
        aligned_width: int,
        spatial_scale: float,
        sampling_ratio: int,
        pool_mode: int,
        aligned: bool,
    ) -> None:
        """Fills ``grad_input`` (N, C, H, W)."""
        _refuse_maximum(pool_mode)
        shape = grad_input.shape
        grad_input.copy_(roi_align_gradient(grad_output, rois, shape, spatial_scale, sampling_ratio, aligned))

    @staticmethod
    def get_compiler_version() -> str:
        return "none"

    @staticmethod
    def get_compiling_cuda_version() -> str:
        return str(torch.version.cuda or "not available")

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("__"):
            raise AttributeError(name)
        return _missing(name)


def _refuse_maximum(pool_mode: int) -> None:
    if pool_mode != 1:
        raise NotImplementedError('RoIAlign with pool_mode="max" needs mmcv\'s compiled operators')


def _missing(name: str) -> Callable[..., None]:
    def refuse(*args: object, **kwargs: object) -> None:
        raise NotImplementedError(f"the operator {name} needs mmcv's compiled operators, which are not installed here")

    return refuse


class _Finder(MetaPathFinder, Loader):
    """Asked last, so that a compiled extension module goes first."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname == NAME else None

    def create_module(self, spec: ModuleSpec) -> Operators:
        return Operators(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


def install() -> None:
    """Offer the stand-in to Python's import; asking again changes nothing."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        finder: Any = _Finder()
        sys.meta_path.append(finder)
