"""What becomes of words that are missed, misread or made up, by kinds that ask for different cures."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from text_spotting.draw import Outcome
from text_spotting.evaluation.characters import align
from text_spotting.evaluation.evaluate import ComparedImage, compare
from text_spotting.evaluation.outcomes import image_outcomes
from text_spotting.evaluation.protocols import Protocol, protocol
from text_spotting.evaluation.slices import height, rotation
from text_spotting.words import Word

INSIDE = 0.5
"""Share of a word from which on it lies in another."""
TOUCHED = 0.1
"""Share of a word from which on another is near it."""
SMALL = 16.0
"""Height in pixels below which a word is small."""
STANDING = 1.2
"""Height over width from which a word stands on end or is stacked."""
SLANTED = 30.0
"""Degrees from which a word is turned."""

KINDS: dict[str, tuple[str, ...]] = {
    "misread": (
        "no text",
        "marks alone",
        "a letter off at an end",
        "a letter off inside",
        "two letters off",
        "more letters off",
    ),
    "missed": (
        "joined with others",
        "found in part",
        "split",
        "found beside",
        "nothing near: standing",
        "nothing near: turned",
        "nothing near: small",
        "nothing near: other",
    ),
    "false": ("joined words", "parts or loose", "found twice", "background"),
}
"""Kinds by what happened, in the order of the table."""


@dataclass
class Faults:
    """Counts and examples.

    Attributes:
        words: true words whose text is known.
        right: of them, found and read right.
        kinds: (what happened, kind) and how often.
        examples: of each, (truth, reading) or (truth, image).
    """

    words: int = 0
    right: int = 0
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], list[tuple[str, str]]] = field(default_factory=dict)

    def add(self, what: str, kind: str, example: tuple[str, str]) -> None:
        """Count one."""
        self.kinds[what, kind] += 1
        self.examples.setdefault((what, kind), []).append(example)


def find_faults(
    names: Sequence[str], truth: Sequence[Sequence[Word]], found: Sequence[Sequence[Word]], fold_case: bool = True
) -> Faults:
    """Sort the faults of every image into ``KINDS``.

    Args:
        fold_case: readings in another case are right.
    """
    faults, rules = Faults(), _found_and_read(fold_case)
    for name, image in zip(names, compare(truth, found), strict=True):
        _of_image(faults, name, image, rules, fold_case)
    return faults


def _found_and_read(fold_case: bool) -> Protocol:
    """Words are paired wherever one was found, be it without text, and a pair is right where it is read."""
    reads_right = protocol("ic15_end_to_end", fold_case).right
    return replace(protocol("f1"), right=lambda truth, reading: reading != "" and reads_right(truth, reading))


def _of_image(faults: Faults, name: str, image: ComparedImage, rules: Protocol, fold_case: bool) -> None:
    outcomes, held = image_outcomes(image, rules), _held(image)
    faults.words += len(outcomes.truth)
    for index, one in outcomes.truth.items():
        text = image.truth[index].text
        if one.outcome is Outcome.RIGHT:
            faults.right += 1
        elif one.outcome is Outcome.MISSED:
            faults.add("missed", missed_kind(image, held, index), (text, name))
        else:
            faults.add("misread", misread_kind(text, one.reading, fold_case), (text, one.reading))
    for index in outcomes.false:
        faults.add("false", false_kind(image, held, index), (image.predictions[index].text, name))


def misread_kind(truth: str, reading: str, fold_case: bool = True) -> str:
    """How far a reading is off."""
    if not reading:
        return "no text"
    if fold_case:
        truth, reading = truth.upper(), reading.upper()
    if _plain(truth) == _plain(reading):
        return "marks alone"
    pairs = align(truth, reading)
    wrong = [place for place, (said, read) in enumerate(pairs) if said != read]
    if len(wrong) > 1:
        return "two letters off" if len(wrong) == 2 else "more letters off"
    return "a letter off at an end" if wrong[0] in (0, len(pairs) - 1) else "a letter off inside"


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def missed_kind(image: ComparedImage, held: NDArray[np.float64], index: int) -> str:
    """Why a true word has no partner.

    Args:
        held: (T, P) share of each true word that lies in each prediction.
    """
    cover, share = image.overlaps.cover[index], held[index]
    around = share > INSIDE
    if around.any() and (held[:, around] > INSIDE).sum(axis=0).max() > 1:
        return "joined with others"
    if (cover > INSIDE).sum() > 1:
        return "split"
    if ((cover > INSIDE) & (share > TOUCHED)).any():
        return "found in part"
    if (share > TOUCHED).any():
        return "found beside"
    return f"nothing near: {_looks(image.truth[index])}"


def false_kind(image: ComparedImage, held: NDArray[np.float64], index: int) -> str:
    """What a prediction without a partner lies on."""
    iou, cover, share = image.overlaps.iou[:, index], image.overlaps.cover[:, index], held[:, index]
    if (share > INSIDE).sum() > 1:
        return "joined words"
    if (iou > INSIDE).any():
        return "found twice"
    return "parts or loose" if ((cover > TOUCHED) | (share > TOUCHED)).any() else "background"


def _held(image: ComparedImage) -> NDArray[np.float64]:
    """(T, P) share of each true word that lies in each prediction, from the two overlaps that are known.

    With I the intersection, A and B the areas: cover = I / B and iou = I / (A + B - I), hence A = I (1 / iou + 1) - B.
    """
    iou, cover = image.overlaps.iou, image.overlaps.cover
    meets = (iou > 0) & (cover > 0)
    of_true = np.where(meets, 1 / np.where(meets, iou, 1) + 1 - 1 / np.where(meets, cover, 1), np.inf)
    return np.asarray(np.where(meets, 1 / np.maximum(of_true, 1e-9), 0.0), np.float64)


def _looks(word: Word) -> str:
    x1, y1, x2, y2 = word.box
    if len(word.text) > 1 and y2 - y1 > STANDING * (x2 - x1):
        return "standing"
    if rotation(word) > SLANTED:
        return "turned"
    return "small" if height(word) < SMALL else "other"
