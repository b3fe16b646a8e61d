"""What becomes of missed, misread and false words, on words that lie on a line."""

import numpy as np
import pytest

from text_spotting.evaluation.broad.faults import Faults, find_faults, misread_kind
from text_spotting.geometry import box_to_polygon
from text_spotting.words import Word


def word(left: float, right: float, text: str = "word", top: float = 0, bottom: float = 20) -> Word:
    return Word(box_to_polygon((left, top, right, bottom)), text)


def faults(truth: list[Word], found: list[Word]) -> Faults:
    return find_faults(["image"], [truth], [found])


def kinds(truth: list[Word], found: list[Word]) -> dict[tuple[str, str], int]:
    return dict(faults(truth, found).kinds)


@pytest.mark.parametrize(
    ("truth", "reading", "kind"),
    [
        ("maintenance", "maintenanc", "a letter off at an end"),  # the last one is missing
        ("Christmas", "hristmas", "a letter off at an end"),  # the first one is missing
        ("parfait", "iparfait", "a letter off at an end"),  # one too many in front
        ("clearly", "clearlv", "a letter off at an end"),  # the last one is another
        ("USA", "asa", "a letter off at an end"),  # the first one is another
        ("happy", "hapby", "a letter off inside"),
        ("sale", "slae", "two letters off"),
        ("OPEN", "closed", "more letters off"),
        ("Open", "", "no text"),
        ("Sign-up", "signup", "marks alone"),
        ("$50", "50", "marks alone"),
    ],
)
def test_a_reading_is_sorted_by_how_far_it_is_off(truth: str, reading: str, kind: str) -> None:
    assert misread_kind(truth, reading) == kind


def test_a_word_found_and_read_right_is_no_fault() -> None:
    found = faults([word(0, 100, "Open!")], [word(2, 100, "open")])
    assert (found.words, found.right, dict(found.kinds)) == (1, 1, {})


def test_a_capital_read_small_is_a_letter_off_where_cases_are_told_apart() -> None:
    truth, reading = [word(0, 100, "Open!")], [word(2, 100, "open")]
    found = find_faults(["image"], [truth], [reading], fold_case=False)
    assert (found.right, dict(found.kinds)) == (0, {("misread", "two letters off"): 1})  # the mark is missing, too
    assert misread_kind("Open", "open", fold_case=False) == "a letter off at an end"


def test_a_lone_mark_without_a_reading_is_misread() -> None:
    assert kinds([word(0, 100, "!")], [word(0, 100, "")]) == {("misread", "no text"): 1}


def test_one_box_over_two_words_misses_both_and_is_false() -> None:
    truth = [word(0, 95), word(105, 200)]
    assert kinds(truth, [word(0, 200)]) == {("missed", "joined with others"): 2, ("false", "joined words"): 1}


def test_two_halves_of_a_word_miss_it_as_split() -> None:
    assert kinds([word(0, 100)], [word(0, 48), word(52, 100)]) == {
        ("missed", "split"): 1,
        ("false", "parts or loose"): 2,
    }


def test_a_box_on_a_third_of_a_word_finds_it_in_part() -> None:
    assert kinds([word(0, 90)], [word(0, 30)]) == {("missed", "found in part"): 1, ("false", "parts or loose"): 1}


def test_a_box_that_is_far_too_large_for_its_one_word_lies_beside_it() -> None:
    assert kinds([word(0, 40)], [word(0, 100)]) == {("missed", "found beside"): 1, ("false", "parts or loose"): 1}


def test_the_second_box_on_a_word_is_one_too_many() -> None:
    assert kinds([word(0, 100)], [word(0, 100, "word"), word(0, 90, "word")]) == {("false", "found twice"): 1}


def test_a_box_on_nothing_is_background() -> None:
    assert kinds([], [word(0, 100)]) == {("false", "background"): 1}


def test_a_box_on_a_dont_care_region_is_no_fault() -> None:
    care_not = Word(box_to_polygon((0, 0, 100, 20)), "", ignore=True)
    assert kinds([care_not], [word(0, 100)]) == {}


@pytest.mark.parametrize(
    ("missed", "kind"),
    [
        (word(0, 20, "STACKED", bottom=140), "nothing near: standing"),
        (word(0, 20, "TALL", bottom=26), "nothing near: standing"),
        (word(0, 20, "LOW", bottom=22), "nothing near: other"),
        (word(0, 10, "I", bottom=60), "nothing near: other"),  # a single letter is always tall
        (word(0, 60, "small", bottom=15), "nothing near: small"),
        (word(0, 90, "large", bottom=30), "nothing near: other"),
        (Word(np.array([[0, 70], [70, 0], [90, 20], [20, 90]]), "slanted"), "nothing near: turned"),
    ],
)
def test_a_word_with_nothing_near_is_sorted_by_its_looks(missed: Word, kind: str) -> None:
    assert kinds([missed], []) == {("missed", kind): 1}


def test_examples_tell_truth_and_reading_or_the_image() -> None:
    found = faults([word(0, 100, "Open"), word(0, 90, "Left", 100, 130)], [word(0, 100, "Opem")])
    assert found.examples == {
        ("misread", "a letter off at an end"): [("Open", "Opem")],
        ("missed", "nothing near: other"): [("Left", "image")],
    }
