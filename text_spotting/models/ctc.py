"""Reading without a decoder loop: a classifier of columns and CTC (Graves et al. 2006)."""

import string

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from text_spotting.alphabet import DEFAULT, START, STOP, Alphabet
from text_spotting.models.processes import mean_count

PRINTABLE = string.ascii_letters + string.digits + string.punctuation
"""What the classifier tells apart, whatever of it is wanted: its rows are those of a recogniser that read all of it."""


class CTCClassifier(nn.Module):
    """Probabilities of symbols in each column of a word.

    The classifier has a row for the blank, for each printable character, and for each symbol of the alphabet that is
    none of these. Probabilities of characters that are one symbol of the alphabet, ``a`` and ``A`` say, are added up;
    those of characters that it lacks count as blank, which is what they are for who does not read them.

    Args:
        channels: of a column.
        alphabet: what is read; class ``START`` serves as the blank, ``STOP`` never comes.
    """

    def __init__(self, channels: int, alphabet: Alphabet = DEFAULT) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, 1 + len(characters(alphabet)))
        self.fold: Tensor
        self.register_buffer("fold", folding(alphabet), persistent=False)

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
        return (losses * (lengths > 0)).sum() / mean_count(lengths.sum())


_LEAST = 1e-7


def characters(alphabet: Alphabet) -> str:
    """What the classifier's rows stand for, from the second on."""
    return PRINTABLE + "".join(symbol for symbol in alphabet.symbols if symbol not in PRINTABLE)


def folding(alphabet: Alphabet) -> Tensor:
    """Matrix (rows, classes) that adds up what is one symbol."""
    encoded = [alphabet.encode(character) for character in characters(alphabet)]
    places = [START] + [classes[0] if classes else START for classes in encoded]
    return F.one_hot(torch.tensor(places), alphabet.classes).float()
