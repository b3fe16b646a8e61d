"""Reading within a set of characters or a list of words, on probabilities worked out by hand."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from text_spotting.alphabet import DEFAULT, START, STOP, Alphabet
from text_spotting.constraints import (
    Lexicon,
    character_classes,
    ctc_log_likelihoods,
    restrict,
    restrict_logits,
)
from text_spotting.errors import UserError

ABC = Alphabet.of({"symbols": "abc"})
A, B, C = 2, 3, 4


def rows(*weights: dict[int, float]) -> NDArray[np.float64]:
    """Probabilities (1, T, 5): what is given, and the rest spread over the other classes."""
    table = np.zeros((1, len(weights), ABC.classes))
    for row, given in zip(table[0], weights, strict=True):
        row[:] = (1 - sum(given.values())) / (ABC.classes - len(given))
        for index, probability in given.items():
            row[index] = probability
    return table


def test_only_allowed_characters_are_left_and_share_what_the_others_had() -> None:
    allowed = character_classes("bC", ABC)
    assert allowed.tolist() == [True, True, False, True, True]
    left = restrict(rows({A: 0.6, B: 0.2, C: 0.1, START: 0.1}), allowed)[0, 0]
    assert left == pytest.approx([0.25, 0, 0, 0.5, 0.25], abs=1e-9)


def test_a_restricted_row_of_nothing_allowed_still_sums_to_one() -> None:
    left = restrict(np.array([[0, 0, 1.0, 0, 0]]), character_classes("b", ABC))
    assert left.sum() == pytest.approx(1) and left[0, A] == 0


def test_restricted_logits_are_those_of_the_restricted_probabilities() -> None:
    logits = np.array([[0.0, 0.0, 3.0, 1.0, 2.0]], np.float32)
    allowed = character_classes("bc", ABC)
    restricted = np.exp(restrict_logits(logits, allowed))
    softmax = np.exp(logits) / np.exp(logits).sum()
    assert restricted / restricted.sum() == pytest.approx(restrict(softmax, allowed), abs=1e-6)
    assert restrict_logits(logits, allowed).dtype == np.float32


def test_a_ready_alphabet_names_its_characters() -> None:
    allowed = character_classes("digits", DEFAULT)
    assert [DEFAULT.table[index] for index in np.flatnonzero(allowed)] == [" ", " ", *"0123456789"]


@pytest.mark.parametrize(
    ("characters", "complaint"),
    [("aж", "cannot read ж; its alphabet is abc"), ("cyrillic", "reads none of"), (" ", "none of the characters ' '")],
    ids=["a character that the model lacks", "a ready alphabet that shares nothing", "blanks alone"],
)
def test_what_cannot_be_allowed_is_said(characters: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        character_classes(characters, ABC)


def brute_force(columns: NDArray[np.float64], word: tuple[int, ...]) -> float:
    """Sum over every path whose runs, blanks taken out, spell the word."""
    total = 0.0
    for path in product(range(columns.shape[1]), repeat=len(columns)):
        runs = [symbol for place, symbol in enumerate(path) if place == 0 or symbol != path[place - 1]]
        if tuple(symbol for symbol in runs if symbol != START) == word:
            total += float(np.prod([column[symbol] for column, symbol in zip(columns, path, strict=True)]))
    return total


@pytest.mark.parametrize("word", [(A,), (A, B), (A, A), (A, B, A), (B, B, B)], ids=["a", "ab", "aa", "aba", "bbb"])
def test_a_words_ctc_probability_is_the_sum_over_all_its_paths(word: tuple[int, ...]) -> None:
    columns = np.random.default_rng(0).dirichlet(np.ones(5), 5)
    padded = np.array([[*word, START][: max(len(word), 3)]]) if len(word) < 3 else np.array([word])
    found = np.exp(ctc_log_likelihoods(columns, padded, np.array([len(word)])))
    assert found[0] == pytest.approx(brute_force(columns, word), rel=1e-9)


def test_a_word_longer_than_its_columns_cannot_be_read() -> None:
    columns = np.full((2, 5), 0.2)
    words, lengths = np.array([[A, A, START], [A, B, C]]), np.array([2, 3])
    assert ctc_log_likelihoods(columns, words, lengths).tolist() == [-np.inf, -np.inf]


SURE = 0.96
READ_CAB = rows({C: SURE}, {START: SURE}, {A: SURE}, {B: SURE}, {START: SURE})


def test_a_sure_ctc_reading_stays_itself_and_keeps_the_lists_spelling() -> None:
    (found,) = Lexicon.of(["bac", "CAB", "cab", "abc"], ABC).nearest_ctc(READ_CAB)
    assert found.text == "CAB"
    # Among all paths the five sure steps weigh most; a few repeat a letter in place of a blank.
    assert found.confidence == pytest.approx(SURE ** (5 / 4), abs=0.02)


def test_an_unsure_ctc_letter_takes_the_second_choice_that_makes_a_word() -> None:
    columns = rows({C: 0.9}, {A: 0.6, B: 0.3}, {B: 0.9})
    assert Lexicon.of(["ccb", "cbb", "cab"], ABC).nearest_ctc(columns)[0].text == "cab"
    assert Lexicon.of(["ccb", "cbcb", "aab", "cb"], ABC).nearest_ctc(columns)[0].text == "cb", "b, b is one b"


def test_far_words_get_little_confidence_and_blank_columns_none() -> None:
    lexicon = Lexicon.of(["aaa"], ABC)
    assert lexicon.nearest_ctc(READ_CAB)[0].confidence < 0.2
    assert lexicon.nearest_ctc(rows(*[{START: SURE}] * 4)) == [("", 0.0)]
    assert lexicon.nearest_ctc(rows({A: SURE}, {A: SURE})) == [("", 0.0)], "aaa needs five columns"


def test_pruning_a_long_list_finds_what_trying_every_word_finds() -> None:
    rng = np.random.default_rng(3)
    words = sorted({"".join(rng.choice(list(DEFAULT.symbols), rng.integers(2, 9))) for _ in range(3000)})
    lexicon = Lexicon.of(words, DEFAULT)
    for columns in rng.dirichlet(np.full(DEFAULT.classes, 0.05), (5, 16)):
        floored = np.maximum(columns, 1e-12)
        every = ctc_log_likelihoods(floored, lexicon._padded, lexicon._lengths)
        assert lexicon.nearest_ctc(columns[None])[0].text == words[int(every.argmax())]


def test_the_nearest_word_of_an_attention_reading_weighs_second_choices() -> None:
    steps = rows({C: 0.9}, {A: 0.6, B: 0.35}, {B: 0.9}, {STOP: 0.9}, {A: 0.9})
    (found,) = Lexicon.of(["ccb", "cbb", "abc"], ABC).nearest_steps(steps)
    assert found.text == "cbb", "b is the second choice at the second step, c is hardly one"
    assert found.confidence == pytest.approx((0.9 * 0.35 * 0.9 * 0.9) ** (1 / 4))


def test_an_attention_reading_may_lack_or_hold_a_letter_more() -> None:
    steps = rows({C: 0.9}, {A: 0.9}, {STOP: 0.9})
    (found,) = Lexicon.of(["cab", "bbb"], ABC).nearest_steps(steps)
    assert found.text == "cab"
    assert found.confidence == pytest.approx((0.9 * 0.9 * 1e-3 * 0.9) ** (1 / 4))


def test_nothing_read_is_no_word() -> None:
    assert Lexicon.of(["a"], ABC).nearest_steps(rows({STOP: 0.9}, {A: 0.9})) == [("", 0.0)]


def test_words_that_the_alphabet_cannot_write_are_left_out_and_known() -> None:
    lexicon = Lexicon.of(["(cab)", "dad", "b" * 28], ABC)
    assert (lexicon.spellings, lexicon.left_out) == (["(cab)"], ["dad", "b" * 28])
    with pytest.raises(UserError, match="none of the 1 words"):
        Lexicon.of(["dad"], ABC)
