"""Readings compared letter by letter: error rates and who is taken for whom."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NOTHING = ""
"""Stands for the missing side of an inserted or a left-out character."""

Reading = tuple[str, str]
"""What a word says and how it was read."""


@dataclass(frozen=True, slots=True)
class ReadingScore:
    """How well words were read, case apart.

    Attributes:
        words, right: readings, and those without an error.
        characters, edits: characters of the true words, and the edits that the readings need to become them.
    """

    words: int = 0
    right: int = 0
    characters: int = 0
    edits: int = 0

    @property
    def accuracy(self) -> float:
        """Share of words read without an error, 0..1; 0 where there are none."""
        return self.right / self.words if self.words else 0.0

    @property
    def character_error_rate(self) -> float:
        """Edits per true character; 0 where there are none, above 1 where much was made up."""
        return self.edits / self.characters if self.characters else 0.0


def score_readings(readings: Iterable[Reading], fold_case: bool = True) -> ReadingScore:
    """Add up word accuracy and character error rate, case apart unless told otherwise."""
    words = right = characters = edits = 0
    for truth, reading in _folded(readings, fold_case):
        errors = sum(expected != got for expected, got in align(truth, reading))
        words, right = words + 1, right + (errors == 0)
        characters, edits = characters + len(truth), edits + errors
    return ReadingScore(words, right, characters, edits)


def confusions(readings: Iterable[Reading], fold_case: bool = True) -> Counter[tuple[str, str]]:
    """Count (true, read) for characters that differ, folded as above; ``NOTHING`` stands for a missing one."""
    counts: Counter[tuple[str, str]] = Counter()
    for truth, reading in _folded(readings, fold_case):
        counts.update((true, read) for true, read in align(truth, reading) if true != read)
    return counts


def _folded(readings: Iterable[Reading], fold_case: bool) -> Iterable[Reading]:
    return ((truth.upper(), reading.upper()) if fold_case else (truth, reading) for truth, reading in readings)


def align(truth: str, reading: str) -> list[tuple[str, str]]:
    """Pair the characters of two words with the fewest edits (Wagner & Fischer 1974).

    Returns:
        (true, read) from left to right; one of the two is ``NOTHING`` where a character was left out or made up.
    """
    costs = _edit_costs(truth, reading)
    row, column = len(truth), len(reading)
    steps = []
    while row or column:
        here = costs[row][column]
        if row and column and here == costs[row - 1][column - 1] + (truth[row - 1] != reading[column - 1]):
            row, column = row - 1, column - 1
            steps.append((truth[row], reading[column]))
        elif row and here == costs[row - 1][column] + 1:
            row -= 1
            steps.append((truth[row], NOTHING))
        else:
            column -= 1
            steps.append((NOTHING, reading[column]))
    return steps[::-1]


def _edit_costs(truth: str, reading: str) -> Sequence[Sequence[int]]:
    """Edits (T + 1, R + 1) between all beginnings of the two words."""
    costs = [list(range(len(reading) + 1))]
    for number, true in enumerate(truth, start=1):
        above, row = costs[-1], [number]
        for column, read in enumerate(reading, start=1):
            row.append(min(above[column] + 1, row[-1] + 1, above[column - 1] + (true != read)))
        costs.append(row)
    return costs
