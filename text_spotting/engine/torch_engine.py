"""The network itself as an engine: what exported models are measured against."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from text_spotting.contract import Detections, flatten_positions
from text_spotting.manifest import Manifest
from text_spotting.models.attention_decoder import Memory
from text_spotting.preprocess import normalise, to_tensor
from text_spotting.words import FloatArray, Image


class TorchEngine:
    """A ``MaskTextSpotter`` on whatever device it lies.

    Args:
        network: switched to evaluation.
        manifest: how to prepare images and which words to keep; of a network that embeds nothing.
    """

    parallel = 1

    def __init__(self, network: nn.Module, manifest: Manifest) -> None:
        self.network: Any = network.eval()
        self.manifest = manifest
        self._device = next(network.parameters()).device

    @property
    def hidden_size(self) -> int:
        return int(self._text_head.decoder.hidden_size)

    @torch.no_grad()
    def detect(self, canvas: Image) -> Detections[FloatArray]:
        found: Detections[torch.Tensor] = self.network.detect(self._tensor(to_tensor(canvas, self.manifest)))
        return Detections(*(tensor.cpu().numpy() for tensor in found))

    @contextmanager
    def encode(self, text_features: FloatArray) -> Iterator[Memory]:
        with torch.no_grad():
            encoded = self._text_head.encoder(self._tensor(text_features)).float()
            memory: Memory = self._text_head.decoder.memorise(flatten_positions(encoded))
        yield memory

    @torch.no_grad()
    def step(self, memory: Memory, symbols: NDArray[np.int64], hidden: FloatArray) -> tuple[FloatArray, FloatArray]:
        state, symbol = self._tensor(hidden)[0], self._tensor(symbols)
        logits, state, _ = self._text_head.decoder.step(state, symbol, memory)
        return logits.cpu().numpy(), state.unsqueeze(0).cpu().numpy()

    @torch.no_grad()
    def recognize(self, crops: Image) -> FloatArray:
        """Probabilities from ``network.recognize``, which takes normalised crops (N, 3, 32, W)."""
        columns = self.network.recognize(self._tensor(normalise(crops, self.manifest)))
        return np.asarray(columns.float().cpu().numpy(), np.float32)

    @property
    def _text_head(self) -> Any:
        return self.network.roi_head.text_head

    def _tensor(self, array: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)
