"""How large a network is and what an image costs it."""

from typing import Any

import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox2roi
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

WORDS = 15
"""Words in the image that complexity is counted for."""


def trainable_parameters(network: nn.Module) -> int:
    """Parameters that receive gradients."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def complexity(network: Any, input_size: tuple[int, int], words: int = WORDS) -> float:
    """Count 2 x multiply-accumulates, in 1e9, for one image.

    Counted are convolutions and matrix products: the trunk on an image of width, height ``input_size``, the
    box head on as many proposals as ``test_cfg`` lets through, masks and text encoding of ``words`` words.
    The decoder's steps (well under 1% of it) are left out.
    """
    counter = FlopCounterMode(display=False)
    width, height = input_size
    with torch.no_grad(), counter:
        _one_pass(network.eval(), torch.zeros(1, 3, height, width), words)
    return float(counter.get_total_flops()) / 1e9


def _one_pass(network: Any, image: Tensor, words: int) -> None:
    head = network.roi_head
    x = network.extract_feat(image)
    sample = DetDataSample(metainfo={"img_shape": tuple(image.shape[-2:]), "scale_factor": (1.0, 1.0)})
    network.rpn_head.predict(x, [sample], rescale=False)
    box = image.new_tensor([[0.0, 0.0, 100.0, 30.0]])
    proposals = network.test_cfg.rpn
    head._bbox_forward(x, bbox2roi([box.repeat(proposals.get("usual", proposals.max_per_img), 1)]))
    rois = bbox2roi([box.repeat(words, 1)])
    masks = head._mask_forward(x, rois)["mask_preds"][:, 0].sigmoid()
    head.text_head.encoder(head.text_features(x, rois, masks))
