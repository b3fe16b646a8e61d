"""Classes become text: symbol by symbol until the stop, or column by column; how sure that is comes along."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray
from sample_graphs import MANIFEST

from text_spotting.decoding import allowed_classes, ctc_decode, greedy_decode, probabilities, word_ranges
from text_spotting.errors import UserError
from text_spotting.words import FloatArray

CLASSES = len(MANIFEST.symbols)
A, B, C, DIGIT_0 = (MANIFEST.symbols.index(symbol) for symbol in "abc0")
BLANK, STOP = MANIFEST.start, MANIFEST.stop


class Script:
    """A decoder that writes each word's prepared symbols with a given probability."""

    def __init__(self, words: list[list[int]], probability: float) -> None:
        self.words, self.probability, self.calls = words, probability, 0

    def __call__(self, symbols: NDArray[np.int64], state: int) -> tuple[FloatArray, int]:
        rest = np.log((1 - self.probability) / 37)
        logits = np.full((len(self.words), 38), rest, np.float32)
        for row, word in enumerate(self.words):
            logits[row, word[state] if state < len(word) else 5] = np.log(self.probability)
        self.calls += 1
        return logits, state + 1


def test_decoding_ends_with_the_longest_word() -> None:
    script = Script([[2, 3, 1], [4, 1]], 0.9)
    readings = greedy_decode(script, 0, 2, MANIFEST)
    assert script.calls == 3
    assert [reading.text for reading in readings] == ["ab", "c"]
    assert [reading.score for reading in readings] == pytest.approx([0.9**3, 0.9**2], rel=1e-5), "the stop counts"
    assert readings[0].char_scores == pytest.approx((0.9, 0.9), rel=1e-5)
    assert readings[0].distributions.argmax(axis=1).tolist() == [A, B]


def test_decoding_ends_at_the_maximum_length() -> None:
    script = Script([[2] * 99], 0.9)
    (reading,) = greedy_decode(script, 0, 1, MANIFEST)
    assert reading.text == "a" * 28
    assert reading.score == pytest.approx(0.9**28, rel=1e-4)


def test_start_symbols_are_passed_over() -> None:
    (reading,) = greedy_decode(Script([[0, 2, 1]], 0.9), 0, 1, MANIFEST)
    assert (reading.text, len(reading.char_scores)) == ("a", 1)
    assert reading.score == pytest.approx(0.9**3, rel=1e-5)


def test_decoding_nothing_asks_nothing() -> None:
    script = Script([], 0.9)
    assert greedy_decode(script, 0, 0, MANIFEST) == []
    assert script.calls == 0


def test_probabilities_are_the_softmax_even_of_large_logits() -> None:
    rows = probabilities(np.array([[1000.0, 1000.0], [0.0, np.log(3)]], np.float32))
    assert rows == pytest.approx(np.array([[0.5, 0.5], [0.25, 0.75]]))


def test_characters_that_are_not_allowed_give_their_share_to_the_others() -> None:
    allowed = allowed_classes(MANIFEST, "0123456789")
    assert (allowed.sum(), allowed[A], allowed[DIGIT_0], allowed[STOP]) == (11, False, True, True)
    logits = np.full((1, CLASSES), -50.0, np.float32)
    logits[0, [A, DIGIT_0, STOP]] = np.log([0.6, 0.3, 0.1])
    (row,) = probabilities(logits, allowed)
    assert [row[A], row[DIGIT_0], row[STOP]] == pytest.approx([0, 0.75, 0.25], abs=1e-5)


def test_what_is_allowed_is_folded_as_the_model_folds_and_must_be_known_to_it() -> None:
    assert np.array_equal(allowed_classes(MANIFEST, "AB"), allowed_classes(MANIFEST, "ab"))
    assert np.array_equal(allowed_classes(MANIFEST, "digits"), allowed_classes(MANIFEST, "0123456789"))
    with pytest.raises(UserError, match="the model cannot read -"):
        allowed_classes(MANIFEST, "0-9")


def columns(*likeliest: tuple[int, float]) -> FloatArray:
    """Probabilities of one word: a class and its probability for each column; the rest goes to the last class."""
    rows = np.zeros((1, len(likeliest), CLASSES), np.float32)
    for row, (symbol, probability) in zip(rows[0], likeliest, strict=True):
        row[symbol], row[-1] = probability, 1 - probability
    return rows


CTC = {
    "columns of one character are one": ([(A, 0.9), (A, 0.6), (B, 0.8)], "ab", (0.9, 0.8), 0.72),
    "a blank parts equal characters": ([(A, 0.9), (BLANK, 0.7), (A, 0.8)], "aa", (0.9, 0.8), 0.72),
    "blanks around it do not count": ([(BLANK, 0.6), (C, 0.9), (BLANK, 0.55)], "c", (0.9,), 0.9),
    "nothing but blanks, as sure as that the least sure is none": ([(BLANK, 0.9), (BLANK, 0.6)], "", (), 0.4),
}


@pytest.mark.parametrize(("word", "text", "scores", "score"), CTC.values(), ids=CTC)
def test_columns_are_collapsed_to_text(
    word: list[tuple[int, float]], text: str, scores: tuple[float, ...], score: float
) -> None:
    (reading,) = ctc_decode(columns(*word), MANIFEST)
    assert reading.text == text
    assert reading.char_scores == pytest.approx(scores)
    assert reading.score == pytest.approx(score)
    assert reading.distributions.shape == (len(text), CLASSES)


def test_columns_can_be_restricted_and_never_stop() -> None:
    word = np.zeros((1, 2, CLASSES), np.float32)
    word[0, 0, [A, DIGIT_0, BLANK]] = 0.6, 0.3, 0.1
    word[0, 1, [STOP, BLANK]] = 0.9, 0.1
    (reading,) = ctc_decode(word, MANIFEST, allowed_classes(MANIFEST, "0"))
    assert (reading.text, reading.score) == ("0", pytest.approx(0.75))  # type: ignore[comparison-overlap]


def spelled(text: str, meeting: Mapping[int, float] | tuple[()] = ()) -> FloatArray:
    """Columns of one word: a letter, "-" for a blank; words meet in some columns as surely as is told."""
    rows = np.zeros((len(text), CLASSES), np.float32)
    for row, symbol in zip(rows, text, strict=True):
        row[BLANK if symbol == "-" else MANIFEST.symbols.index(symbol)] = 1
    for column, probability in dict(meeting).items():
        rows[column, STOP] = probability
    return rows


@pytest.mark.parametrize(
    ("text", "meeting", "ranges"),
    [
        ("ab--c", {}, [(0, 5)]),
        ("ab--c", {2: 0.81}, [(0, 2), (3, 5)]),
        ("ab--c", {2: 0.79}, [(0, 5)]),
        ("ab----c", {2: 0.5, 3: 0.9, 4: 0.7, 5: 0.4}, [(0, 2), (5, 7)]),
        ("ab----c", {2: 0.5, 3: 0.9, 4: 0.4, 5: 0.6}, [(0, 2), (4, 7)]),
        ("a-b-a", {1: 0.9, 3: 0.9}, [(0, 1), (2, 3), (4, 5)]),
        ("-ab--", {0: 0.9, 4: 0.9}, [(0, 5)]),
        ("-a--", {2: 0.9}, [(0, 4)]),
        ("ab", {0: 0.9, 1: 0.9}, [(0, 2)]),
        ("aab", {0: 0.9}, [(0, 3)]),
        ("aabbb", {3: 0.9, 4: 0.9}, [(0, 5)]),
    ],
    ids=[
        "words meet nowhere",
        "in one column",
        "hardly",
        "columns beside the surest belong to neither word",
        "as far as they follow on each other",
        "three words",
        "before the first and behind the last character",
        "behind the only character",
        "in the columns of characters",
        "in a column of a repeated character",
        "in columns of the last character",
    ],
)
def test_words_found_as_one_are_parted_where_they_meet(
    text: str, meeting: dict[int, float], ranges: list[tuple[int, int]]
) -> None:
    assert word_ranges(spelled(text, meeting), MANIFEST) == ranges


def test_words_meet_between_characters_that_may_be_read() -> None:
    allowed = allowed_classes(MANIFEST, "bc")
    assert word_ranges(spelled("a-b-c", {1: 0.9, 3: 0.9}), MANIFEST, allowed) == [(0, 3), (4, 5)]


def test_where_words_meet_changes_nothing_of_what_is_read() -> None:
    with_and_without = [ctc_decode(spelled("ab--c", meeting)[None], MANIFEST)[0] for meeting in ({}, {2: 0.99})]
    assert [(one.text, one.score) for one in with_and_without] == [("abc", 1.0)] * 2
