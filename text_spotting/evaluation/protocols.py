"""The metrics by name: which words count and when a pair is right.

Two families. ``ic15_*`` score as the ICDAR 2015 Challenge 4 evaluation does. ``f1``, ``word_spotting`` and
``e2e_recognition`` are what the figures of the text-spotting-000x models were published with: there a true word without
a transcription is a don't-care region in detection too.

In both families a prediction without text is a word that was found and not read: it takes part in detection only.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from text_spotting.errors import UserError
from text_spotting.evaluation.transcriptions import (
    is_spotting_word,
    same_but_outer_punctuation,
    same_word,
    spotting_form,
)

if TYPE_CHECKING:
    from text_spotting.words import Word


@dataclass(frozen=True, slots=True)
class Protocol:
    """One way to score.

    Attributes:
        name: key in ``metrics.yaml`` and on the command line.
        title: name for people.
        counts: whether a true word must be found; if not, it is a don't-care region.
        reads: whether text matters: predictions without text are then left out.
        right: whether a reading is right: (true transcription, reading, and optionally ``fold_case``).
    """

    name: str
    title: str
    counts: "Callable[[Word], bool]"
    reads: bool
    right: Callable[..., bool]


def _legible(word: "Word") -> bool:
    from text_spotting.words import DONT_CARE

    return not word.ignore and word.text != DONT_CARE


def _transcribed(word: "Word") -> bool:
    return _legible(word) and word.text != ""


def _spotted(word: "Word") -> bool:
    return _legible(word) and is_spotting_word(word.text)


def _found(truth: str, reading: str, fold_case: bool = True) -> bool:
    return True


def _spotted_right(truth: str, reading: str, fold_case: bool = True) -> bool:
    return same_word(spotting_form(truth), reading, fold_case)


_ALL = (
    Protocol("f1", "F1-score", _transcribed, False, _found),
    Protocol("word_spotting", "Word Spotting", _spotted, True, _spotted_right),
    Protocol("e2e_recognition", "End-to-End recognition", _transcribed, True, same_but_outer_punctuation),
    Protocol("ic15_detection", "ICDAR 2015 detection", _legible, False, _found),
    Protocol("ic15_word_spotting", "ICDAR 2015 word spotting", _spotted, True, _spotted_right),
    Protocol("ic15_end_to_end", "ICDAR 2015 end-to-end", _transcribed, True, same_but_outer_punctuation),
)
_BY_NAME = {protocol.name: protocol for protocol in _ALL}
METRICS = tuple(_BY_NAME)
"""Names of all metrics, in the order in which they are reported."""
DEFAULT_METRICS = ("f1", "word_spotting", "ic15_detection", "ic15_word_spotting", "ic15_end_to_end")
"""What is scored where nobody chooses."""


def protocol(name: str, fold_case: bool = True) -> Protocol:
    """Look a metric up; published figures fold case, a model that tells cases apart is asked to.

    Raises:
        UserError: there is none of that name.
    """
    if name not in _BY_NAME:
        raise UserError(f"no metric is called '{name}'; choose from {', '.join(METRICS)}", about="metrics")
    found = _BY_NAME[name]
    return found if fold_case else replace(found, right=partial(found.right, fold_case=False))
