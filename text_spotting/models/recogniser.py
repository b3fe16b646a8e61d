"""The text head on its own, for training it on single-word crops."""

from typing import Any

import torch
from mmdet.registry import MODELS
from mmdet.utils import ConfigType
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.nn import functional as F

from text_spotting.alphabet import START, STOP


@MODELS.register_module()
class WordRecogniser(BaseModel):
    """A spotter's text head that reads crops pooled beforehand.

    Its weights carry the same names as in the spotter, so that a spotter loads them with ``--load-weights``.

    Args:
        text_head: config of the head; its features are normalised pictures.
        mean, std: per channel in RGB order, on the 0..255 scale.
        bootstrap_steps: steps over which CTC, which at first only learns to call every column blank, takes
            over from a loss that takes a word's symbols to be equally wide.
    """

    def __init__(self, text_head: ConfigType, mean: list[float], std: list[float], bootstrap_steps: int = 0) -> None:
        super().__init__()
        self.roi_head = nn.ModuleDict({"text_head": MODELS.build(text_head)})
        self.bootstrap_steps = bootstrap_steps
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def normalise(self, inputs: Tensor) -> Tensor:
        """(N, 3, h, w) uint8 BGR to normalised RGB."""
        return (inputs.flip(1).float() - self.mean) / self.std

    def forward(self, inputs: Tensor, texts: Tensor, mode: str = "loss") -> dict[str, Tensor] | tuple[Tensor, Tensor]:
        """Loss of (N, 3, h, w) crops with targets (N, T), or what ``TextRecognitionHead.read`` returns."""
        features = self.normalise(inputs)
        head: Any = self.roi_head["text_head"]
        if mode != "loss":
            return head.read(features)
        encoded = head.encoder(features).float()
        losses = head.loss_of_encoded(encoded, texts)
        if self.steps < self.bootstrap_steps:
            progress = self.steps / self.bootstrap_steps
            losses["loss_even"] = (1 - progress) * even_spacing_loss(head.column_logits(encoded), texts)
            losses["loss_ctc"] = progress**2 * losses["loss_ctc"]
        self.steps += 1
        return losses


def even_spacing_loss(columns: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy of column logits (W, N, classes) with targets (N, T) spread evenly over the columns."""
    lengths = ((targets != START) & (targets != STOP)).sum(dim=1)
    centres = (torch.arange(len(columns), device=columns.device) + 0.5) / len(columns)
    symbols = targets.gather(1, (centres * lengths[:, None]).long())
    return F.cross_entropy(columns.transpose(0, 1).flatten(0, 1), symbols.flatten())
