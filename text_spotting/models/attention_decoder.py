"""Attention decoder that spells a word symbol by symbol."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from text_spotting.alphabet import DEFAULT


class Memory(NamedTuple):
    """What stays the same from step to step.

    Attributes:
        values: (N, L, D) encoder outputs that attention averages.
        keys: (N, L, H) their projection that attention compares.
    """

    values: Tensor
    keys: Tensor


class AttentionDecoder(nn.Module):
    """GRU with additive attention over raw encoder outputs (Bahdanau et al. 2014, arXiv 1409.0473).

    Training, greedy decoding and export all stand on ``step``.

    Args:
        encoder_channels: D, size of an encoder output.
        hidden_size: H, size of the state, of the symbol embedding and of the attention space.
        classes: of the alphabet, start and stop included.
    """

    def __init__(self, encoder_channels: int = 256, hidden_size: int = 256, classes: int = DEFAULT.classes) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.embedding = nn.Embedding(classes, hidden_size)
        self.encoder_outputs_w = nn.Linear(encoder_channels, hidden_size)
        self.hidden_state_w = nn.Linear(hidden_size, hidden_size)
        self.v = nn.Parameter(torch.empty(hidden_size, 1).normal_(0, 0.1))
        self.attn_combine = nn.Linear(hidden_size + encoder_channels, hidden_size)
        self.decoder = nn.GRU(hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, classes)

    def memorise(self, encoder_outputs: Tensor) -> Memory:
        """Prepare (N, L, D) encoder outputs for any number of steps."""
        return Memory(encoder_outputs, self.encoder_outputs_w(encoder_outputs))

    def initial_state(self, memory: Memory) -> Tensor:
        """Zeros (N, H)."""
        return memory.values.new_zeros(len(memory.values), self.hidden_size)

    def step(self, state: Tensor, symbol: Tensor, memory: Memory) -> tuple[Tensor, Tensor, Tensor]:
        """Emit one symbol.

        Args:
            state: (N, H) hidden state.
            symbol: (N,) int64 index of the symbol before.
            memory: what ``memorise`` returned for the same N words.

        Returns:
            logits (N, classes), the next state (N, H) and attention weights (N, L).
        """
        embedded = self.embedding(symbol)
        energy = torch.tanh(memory.keys + self.hidden_state_w(state).unsqueeze(1)) @ self.v
        attention = F.softmax(energy.squeeze(2), dim=1)
        context = (attention.unsqueeze(1) @ memory.values).squeeze(1)
        x = F.relu(self.attn_combine(torch.cat([embedded, context], dim=1)))
        _, state = self.decoder(x.unsqueeze(0), state.unsqueeze(0))
        state = state.squeeze(0)
        return self.out(state), state, attention
