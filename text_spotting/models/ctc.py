"""Reading without a decoder loop: a classifier of columns and CTC (Graves et al. 2006)."""

import string
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from text_spotting.alphabet import START, STOP, SYMBOLS

PRINTABLE = string.ascii_letters + string.digits + string.punctuation
"""What the classifier tells apart, whatever of it is wanted: its rows are those of a recogniser that read all of it."""


class CTCClassifier(nn.Module):
    """Probabilities of symbols in each column of a word.

    The classifier has a row for the blank and for each printable character. Probabilities of characters that are one
    symbol of the alphabet, ``a`` and ``A`` say, are added up; those of characters that are none count as blank, which
    is what they are for who does not read them.

    Args:
        channels: of a column.
        symbols: the alphabet, one a class; those at ``START``, which serves as the blank, and ``STOP`` mean nothing.
    """

    def __init__(self, channels: int, symbols: Sequence[str] = SYMBOLS) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, 1 + len(PRINTABLE))
        self.fold: Tensor
        self.register_buffer("fold", folding(symbols), persistent=False)

    def forward(self, columns: Tensor) -> Tensor:
        """(N, channels, 1, w) to probabilities (N, w, classes)."""
        return self.linear(columns.squeeze(2).transpose(1, 2)).float().softmax(dim=2) @ self.fold

    def loss(self, columns: Tensor, targets: Tensor) -> Tensor:
        """Negative log likelihood a symbol of targets (N, T), closed by ``STOP`` and padded with ``START``."""
        probabilities = self(columns).clamp(min=_LEAST).log().transpose(0, 1)
        symbols = targets * (targets != STOP)
        lengths = (symbols != START).sum(dim=1)
        widths = torch.full_like(lengths, len(probabilities))
        losses = F.ctc_loss(probabilities, symbols, widths, lengths, START, reduction="none", zero_infinity=True)
        return (losses * (lengths > 0)).sum() / lengths.sum().clamp(min=1)


_LEAST = 1e-7


def folding(symbols: Sequence[str]) -> Tensor:
    """Matrix (1 + printable, classes) that adds up what is one symbol."""
    classes = {symbol: index for index, symbol in enumerate(symbols) if index not in (START, STOP)}
    places = [START] + [classes.get(c, classes.get(c.lower(), START)) for c in PRINTABLE]
    return F.one_hot(torch.tensor(places), len(symbols)).float()
