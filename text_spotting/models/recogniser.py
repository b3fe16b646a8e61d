"""The text head on its own, for training it on single-word crops."""

from typing import Any

import torch
from mmdet.registry import MODELS
from mmdet.utils import ConfigType
from mmengine.model import BaseModel
from torch import Tensor, nn


@MODELS.register_module()
class WordRecogniser(BaseModel):
    """A spotter's text head that reads crops pooled beforehand.

    Its weights carry the same names as in the spotter, so that a spotter's training can start from them.

    Args:
        text_head: config of the head; its features are normalised images.
        mean, std: per channel in RGB order, on the 0..255 scale.
    """

    def __init__(self, text_head: ConfigType, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.roi_head = nn.ModuleDict({"text_head": MODELS.build(text_head)})
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def init_weights(self) -> None:
        super().init_weights()
        head: Any = self.roi_head["text_head"]
        head.init_weights()

    def normalise(self, inputs: Tensor) -> Tensor:
        """(N, 3, h, w) uint8 BGR to normalised RGB."""
        return (inputs.flip(1).float() - self.mean) / self.std

    def forward(self, inputs: Tensor, texts: Tensor, mode: str = "loss") -> dict[str, Tensor]:
        """Loss of (N, 3, h, w) crops with targets (N, T)."""
        if mode != "loss":
            raise NotImplementedError("a recogniser alone is only trained; the spotter reads with its weights")
        head: Any = self.roi_head["text_head"]
        return head.loss(self.normalise(inputs), texts)
