"""The recognition head: encoder, attention decoder and their loss."""

from typing import Any

import torch
from mmdet.registry import MODELS
from mmdet.utils import ConfigType
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from text_spotting.alphabet import START, Alphabet
from text_spotting.contract import flatten_positions
from text_spotting.models.attention_decoder import AttentionDecoder
from text_spotting.models.ctc import CTCClassifier
from text_spotting.models.processes import mean_count


@MODELS.register_module()
class TextRecognitionHead(BaseModule):
    """Reads the word in each RoI.

    Args:
        encoder: config of what turns RoI features into what the decoder attends over.
        hidden_size: see ``AttentionDecoder``.
        dropout: probability of dropping encoder outputs while training.
        area_per_symbol_thr: RoIs with fewer square network pixels per symbol are not read in training.
        loss_weight: weight of the decoder's loss.
        ctc_weight: weight of a CTC loss on the encoder's columns, which are then read without the decoder, too, and
            make attention align sooner (joint CTC-attention training, Kim et al. 2017, arXiv 1609.06773); 0 leaves
            it out.
        alphabet: what is read, see ``Alphabet.of``; configurations name it once, at their top.
    """

    def __init__(
        self,
        encoder: ConfigType,
        hidden_size: int = 256,
        dropout: float = 0.5,
        area_per_symbol_thr: float = 25.0,
        loss_weight: float = 1.0,
        ctc_weight: float = 0.0,
        alphabet: Alphabet | dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.alphabet = Alphabet.of(alphabet)
        self.encoder = MODELS.build(encoder)
        self.dropout = nn.Dropout(dropout)
        self.decoder = AttentionDecoder(self.encoder.out_channels, hidden_size, self.alphabet.classes)
        self.area_per_symbol_thr = area_per_symbol_thr
        self.loss_weight = loss_weight
        self.ctc_weight = ctc_weight
        if ctc_weight > 0:
            self.ctc = CTCClassifier(self.encoder.out_channels, self.alphabet)

    @property
    def symbol_rows(self) -> list[str]:
        """Names of the tensors that have a row for each class of the alphabet."""
        layers = {"decoder.embedding": ("weight",), "decoder.out": ("weight", "bias")}
        own = dict(self.named_modules())
        return [f"{layer}.{tensor}" for layer, tensors in layers.items() if layer in own for tensor in tensors]

    @property
    def character_rows(self) -> list[str]:
        """Names of the tensors that have a row for the blank and for each of the alphabet's ``ctc.characters``."""
        return ["ctc.linear.weight", "ctc.linear.bias"] if self.ctc_weight > 0 else []

    def readable(self, rois: Tensor, targets: Tensor) -> Tensor:
        """Which RoIs (N, 5: image, x1, y1, x2, y2) are large enough to learn their targets (N, T) from."""
        areas = (rois[:, 3] - rois[:, 1]) * (rois[:, 4] - rois[:, 2])
        lengths = (targets != START).sum(dim=1)
        return (lengths > 0) & (areas >= self.area_per_symbol_thr * (lengths - 1).clamp(min=1))

    def loss(self, features: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Teacher-forced loss.

        Args:
            features: (N, C, h, w) RoI features.
            targets: (N, T) symbol indices, each row closed by the stop symbol and padded with the start
                symbol; a row of padding has no text and adds nothing.

        Returns:
            ``loss_text``: negative log likelihood per symbol, stop included; ``loss_ctc`` where configured.
        """
        if self.ctc_weight <= 0:
            return {"loss_text": self.loss_weight * self._attention_loss(self.encoder(features).float(), targets)}
        attention, ctc = self.both_losses(features, targets)
        return {"loss_text": self.loss_weight * attention, "loss_ctc": self.ctc_weight * ctc}

    def both_losses(self, features: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Teacher-forced and CTC loss per symbol of the same words, encoded once; arguments as for ``loss``."""
        encoded, columns = self.encoder.both(features)
        return self._attention_loss(encoded.float(), targets), self._ctc_loss(columns.float(), targets)

    def ctc_loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """CTC loss per symbol of words (N, C, h, w) of any width; targets as for ``loss``."""
        return self._ctc_loss(self.encoder.columns(features).float(), targets)

    def _ctc_loss(self, columns: Tensor, targets: Tensor) -> Tensor:
        with torch.autocast(columns.device.type, enabled=False):
            loss: Tensor = self.ctc.loss(columns, targets)
            return loss

    def _attention_loss(self, encoded: Tensor, targets: Tensor) -> Tensor:
        with torch.autocast(encoded.device.type, enabled=False):
            return self._spelling_loss(encoded, targets)

    def _spelling_loss(self, encoded: Tensor, targets: Tensor) -> Tensor:
        memory = self.decoder.memorise(self.dropout(flatten_positions(encoded)))
        state = self.decoder.initial_state(memory)
        symbol = torch.full_like(targets[:, 0], START)
        logits = []
        # One step at least, so that every parameter takes part even when no RoI has a text.
        for index in range(max(1, longest(targets))):
            step_logits, state, _ = self.decoder.step(state, symbol, memory)
            logits.append(step_logits)
            symbol = targets[:, index]
        stacked = torch.stack(logits, dim=1)
        wanted = targets[:, : stacked.shape[1]]
        total = F.cross_entropy(stacked.flatten(0, 1), wanted.flatten(), ignore_index=START, reduction="sum")
        return total / mean_count((wanted != START).sum())

    @torch.no_grad()
    def recognize(self, crops: Tensor) -> Tensor:
        """Probabilities (N, w / 4, classes) of the symbols in each column of words (N, 3, h, w) of any one width."""
        return self.ctc(self.encoder.columns(crops))


def longest(targets: Tensor) -> int:
    """Symbols in the longest of the padded targets (N, T)."""
    return int((targets != START).sum(dim=1).max()) if targets.numel() else 0
