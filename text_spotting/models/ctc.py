"""Reading without a decoder loop: a classifier of columns and CTC (Graves et al. 2006)."""

import string
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from text_spotting.alphabet import DEFAULT, START, STOP, Alphabet
from text_spotting.models.processes import mean_count

PRINTABLE = string.ascii_letters + string.digits + string.punctuation
"""What the classifier tells apart, whatever of it is wanted: its rows are those of a recogniser that read all of it.

Their order is a promise to snapshots, so it does not follow ``alphabet.READY``."""


class CTCClassifier(nn.Module):
    """Probabilities of symbols in each column of a word, and that words meet there.

    The classifier has a row for the blank, for each printable character, and for each symbol of the alphabet that is
    none of these. Probabilities of characters that are one symbol of the alphabet, ``a`` and ``A`` say, are added up;
    those of characters that it lacks count as blank, which is what they are for who does not read them.

    Args:
        channels: of a column.
        alphabet: what is read; class ``START`` serves as the blank. In the place of ``STOP`` stands the
            ``Separator``'s probability, which takes nothing from the others, whose sum is one.
    """

    def __init__(self, channels: int, alphabet: Alphabet = DEFAULT) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, 1 + len(characters(alphabet)))
        self.fold: Tensor
        self.register_buffer("fold", folding(alphabet), persistent=False)
        self.separator = Separator(channels)

    def forward(self, columns: Tensor) -> Tensor:
        """(N, channels, 1, w) to probabilities (N, w, classes)."""
        symbols, meeting = self.symbols(columns), self.separator(columns).float().sigmoid()
        return torch.cat([symbols[:, :, :STOP], meeting.unsqueeze(2), symbols[:, :, STOP + 1 :]], dim=2)

    def symbols(self, columns: Tensor) -> Tensor:
        """The same without the separator: nothing stands in its place."""
        return self.linear(columns.squeeze(2).transpose(1, 2)).float().softmax(dim=2) @ self.fold

    def loss(self, columns: Tensor, targets: Tensor) -> Tensor:
        """Negative log likelihood a symbol of targets (N, T), closed by ``STOP`` and padded with ``START``."""
        probabilities = self.symbols(columns).clamp(min=_LEAST).log().transpose(0, 1)
        symbols = targets * (targets != STOP)
        lengths = (symbols != START).sum(dim=1)
        widths = torch.full_like(lengths, len(probabilities))
        losses = F.ctc_loss(probabilities, symbols, widths, lengths, START, reduction="none", zero_infinity=True)
        return (losses * (lengths > 0)).sum() / mean_count(lengths.sum())


_LEAST = 1e-7


class Separator(nn.Module):
    """How likely it is that one word ends and another begins in a column: two words may have been found as one.

    It looks at what the classifier does, two columns to either side, and is trained apart on a network that stays as it
    is (``engine.separator``), so the training of everything else passes it by. Until then it sees no words meet.

    Args:
        channels: of a column.

    Maps (N, channels, 1, w) to logits (N, w).
    """

    optional_in_snapshots = True

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.look = nn.Conv1d(channels, 32, 5, padding=2)
        self.judge = nn.Conv1d(32, 1, 1)
        nn.init.zeros_(self.judge.weight)
        nn.init.constant_(cast(Tensor, self.judge.bias), -_NEVER)
        self.requires_grad_(False)

    def forward(self, columns: Tensor) -> Tensor:
        return self.judge(F.silu(self.look(columns.squeeze(2)))).squeeze(1)


_NEVER = 10.0


def characters(alphabet: Alphabet) -> str:
    """What the classifier's rows stand for, from the second on."""
    return PRINTABLE + "".join(symbol for symbol in alphabet.symbols if symbol not in PRINTABLE)


def folding(alphabet: Alphabet) -> Tensor:
    """Matrix (rows, classes) that adds up what is one symbol."""
    encoded = [alphabet.encode(character) for character in characters(alphabet)]
    places = [START] + [classes[0] if classes else START for classes in encoded]
    return F.one_hot(torch.tensor(places), alphabet.classes).float()
