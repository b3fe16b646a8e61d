"""The recognition head: encoder, attention decoder and their loss."""

from typing import Any

import torch
from mmdet.registry import MODELS
from mmdet.utils import ConfigType
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from text_spotting.alphabet import START, STOP, Alphabet
from text_spotting.contract import flatten_positions
from text_spotting.models.attention_decoder import AttentionDecoder
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
        ctc_weight: weight of an auxiliary CTC loss on the encoder's columns, which makes attention align
            sooner (joint CTC-attention training, Kim et al. 2017, arXiv 1609.06773); 0 leaves it out.
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
            self.ctc = nn.Linear(self.encoder.out_channels, self.alphabet.classes)

    @property
    def symbol_rows(self) -> list[str]:
        """Names of the tensors that have a row for each class of the alphabet."""
        layers = {"decoder.embedding": ("weight",), "decoder.out": ("weight", "bias"), "ctc": ("weight", "bias")}
        own = dict(self.named_modules())
        return [f"{layer}.{tensor}" for layer, tensors in layers.items() if layer in own for tensor in tensors]

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
        encoded = self.encoder(features).float()
        with torch.autocast(encoded.device.type, enabled=False):
            losses = {"loss_text": self.loss_weight * self._attention_loss(encoded, targets)}
            if self.ctc_weight > 0:
                losses["loss_ctc"] = self.ctc_weight * self._ctc_loss(encoded, targets)
        return losses

    def _attention_loss(self, encoded: Tensor, targets: Tensor) -> Tensor:
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

    def _ctc_loss(self, encoded: Tensor, targets: Tensor) -> Tensor:
        # START serves as CTC's blank: neither ever appears in a text.
        columns = self.ctc(encoded.mean(dim=2).permute(2, 0, 1)).log_softmax(dim=2)
        symbols = targets * (targets != STOP)
        lengths = (symbols != START).sum(dim=1)
        widths = torch.full_like(lengths, len(columns))
        losses = F.ctc_loss(columns, symbols, widths, lengths, START, reduction="none", zero_infinity=True)
        return (losses * (lengths > 0)).sum() / mean_count(lengths.sum())


def longest(targets: Tensor) -> int:
    """Symbols in the longest of the padded targets (N, T)."""
    return int((targets != START).sum(dim=1).max()) if targets.numel() else 0
