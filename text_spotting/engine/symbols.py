"""The alphabet of a snapshot: checking that a network reads the same, or carrying over what both read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from text_spotting.alphabet import SPECIAL, Alphabet
from text_spotting.engine.snapshot_files import Checkpoint
from text_spotting.errors import UserError
from text_spotting.models.ctc import characters

NEW = -1
"""In place of the number of a row that is not carried over."""


def text_head_of(model: nn.Module) -> Any:
    """The network's text head; None where it has none."""
    return getattr(getattr(model, "roi_head", None), "text_head", None)


def alphabet_of(model: nn.Module) -> Alphabet:
    """What a network reads; the default where it reads nothing."""
    head = text_head_of(model)
    return head.alphabet if head is not None else Alphabet()


def snapshot_alphabet(checkpoint: Checkpoint) -> Alphabet:
    """What a snapshot's network reads; the default for those that do not say, which are older than the question."""
    return Alphabet.of((checkpoint.get("meta") or {}).get("alphabet"))


def require_same_alphabet(model: nn.Module, checkpoint: Checkpoint, source: object) -> None:
    """Raise ``UserError`` where a snapshot's classes mean other symbols than the network's."""
    theirs, ours = snapshot_alphabet(checkpoint), alphabet_of(model)
    if theirs.symbols != ours.symbols:
        raise UserError(
            f"{source} reads {len(theirs.symbols)} symbols ({shortened(theirs.symbols)}) and this configuration "
            f"{len(ours.symbols)} ({shortened(ours.symbols)}); set 'alphabet' in model.py to the snapshot's, "
            "or train from its weights, which carries over the symbols that both have"
        )


def shortened(symbols: str, most: int = 48) -> str:
    """Symbols as they are shown to people."""
    return symbols if len(symbols) <= most else f"{symbols[:most]}..."


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of the symbols when a network of another alphabet starts from a snapshot.

    Attributes:
        kept: symbols of both.
        copied: new symbols that start as their other case.
        new: symbols that start from nothing.
        dropped: symbols of the snapshot alone.
    """

    kept: str
    copied: str
    new: str
    dropped: str

    def __str__(self) -> str:
        parts = {
            "kept": self.kept,
            "started from their other case": self.copied,
            "new": self.new,
            "left out": self.dropped,
        }
        said = [f"{len(symbols)} {name} ({shortened(symbols)})" for name, symbols in parts.items() if symbols]
        return "symbols: " + ", ".join(said)


def carry_over(model: nn.Module, checkpoint: Checkpoint) -> tuple[Checkpoint, Carried | None]:
    """Fit a snapshot of another alphabet to a network: all but the classes' rows stays, and rows move by their symbol.

    Returns:
        the snapshot to load, and what became of the symbols; None where both read the same.
    """
    theirs, ours = snapshot_alphabet(checkpoint), alphabet_of(model)
    if theirs.symbols == ours.symbols:
        return checkpoint, None
    head, rows = text_head_of(model), matching_rows(theirs, ours)
    moves = dict.fromkeys(head.symbol_rows, rows) | dict.fromkeys(head.character_rows, _character_rows(theirs, ours))
    weights, own = dict(checkpoint["state_dict"]), model.state_dict()
    for tensor, sources in moves.items():
        name = f"roi_head.text_head.{tensor}"
        if name in weights:
            weights[name] = _moved(weights[name], own[name], sources)
    meta = {**(checkpoint.get("meta") or {}), "alphabet": ours.to_dict()}
    return {**checkpoint, "state_dict": weights, "meta": meta}, _carried(theirs, ours, rows)


def matching_rows(theirs: Alphabet, ours: Alphabet) -> list[int]:
    """For each of our classes the number of theirs that it starts from, or ``NEW``."""
    table = {symbol: index for index, symbol in enumerate(theirs.symbols, start=SPECIAL)}
    return [*range(SPECIAL), *(table.get(symbol, table.get(symbol.swapcase(), NEW)) for symbol in ours.symbols)]


def _character_rows(theirs: Alphabet, ours: Alphabet) -> list[int]:
    """The same for rows of the blank and of ``ctc.characters``."""
    table = {character: row for row, character in enumerate(characters(theirs), start=1)}
    return [0, *(table.get(character, NEW) for character in characters(ours))]


def _moved(theirs: Any, ours: Any, rows: Sequence[int]) -> Any:
    moved = ours.detach().clone().cpu()
    for row, source in enumerate(rows):
        if source != NEW:
            moved[row] = theirs[source]
    return moved


def _carried(theirs: Alphabet, ours: Alphabet, rows: Sequence[int]) -> Carried:
    started = dict(zip(ours.symbols, rows[SPECIAL:], strict=True))
    return Carried(
        kept="".join(symbol for symbol in ours.symbols if symbol in theirs.symbols),
        copied="".join(symbol for symbol, row in started.items() if row != NEW and symbol not in theirs.symbols),
        new="".join(symbol for symbol, row in started.items() if row == NEW),
        dropped="".join(symbol for symbol in theirs.symbols if symbol not in ours.symbols),
    )
