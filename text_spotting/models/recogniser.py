"""The text head on its own, for training it on single-word crops."""

from typing import Any

import torch
from mmdet.registry import MODELS
from mmdet.utils import ConfigType
from mmengine.model import BaseModel
from torch import Tensor, nn

from text_spotting.alphabet import START
from text_spotting.models.teacher import Teacher, agreeing


@MODELS.register_module()
class WordRecogniser(BaseModel):
    """A spotter's text head that reads crops pooled beforehand.

    Its weights carry the same names as in the spotter, so that a spotter loads them with ``--load-weights``.

    Args:
        text_head: config of the head; its features are normalised pictures.
        mean, std: per channel in RGB order, on the 0..255 scale.
        teacher_weight: weight of ``loss_teacher``, which keeps the head's CTC columns near those of PP-OCRv6 on
            words that this reads rightly; 0 does without.
    """

    def __init__(self, text_head: ConfigType, mean: list[float], std: list[float], teacher_weight: float = 0.0) -> None:
        super().__init__()
        self.teacher_weight = teacher_weight
        self.teacher = Teacher(text_head["encoder"]["columns"]) if teacher_weight > 0 else None
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

    def forward(self, inputs: Tensor, texts: Tensor, mode: str = "loss") -> dict[str, Tensor] | tuple[Tensor, Tensor]:
        """Loss of (N, 3, h, w) crops with targets (N, T), or what ``TextRecognitionHead.read`` returns."""
        features = self.normalise(inputs)
        head: Any = self.roi_head["text_head"]
        if mode != "loss":
            return head.read(features)
        encoded = head.encoder(features)
        losses = head.loss_of_encoded(encoded, texts)
        if self.teacher is not None:
            taught = self.teacher(inputs)
            losses["loss_teacher"] = self.teacher_weight * taught_loss(head.columns(encoded), taught, texts)
        return losses


def taught_loss(columns: Tensor, taught: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy of columns to a teacher's, per symbol of the words that the teacher reads rightly.

    Args:
        columns: (N, L, symbols) log probabilities.
        taught: (N, L, symbols) probabilities.
        targets: (N, T) symbols, as ``TextRecognitionHead.loss`` takes them.
    """
    right = agreeing(taught, targets)
    total = -(taught[right] * columns[right]).sum()
    return total / (targets[right] != START).sum().clamp(min=1)
