"""Worked examples of the metrics: who is paired with whom, what is excused, and the fractions that come out."""

import argparse

import numpy as np
import pytest

from text_spotting.cli.eval import add_arguments
from text_spotting.errors import UserError
from text_spotting.evaluation.evaluate import Score, compare, evaluate
from text_spotting.evaluation.matching import measure_overlaps
from text_spotting.evaluation.protocols import DEFAULT_METRICS, METRICS, protocol
from text_spotting.evaluation.transcriptions import is_spotting_word, same_but_outer_punctuation, spotting_form
from text_spotting.geometry import box_to_polygon
from text_spotting.words import Word


def word(x1: float, x2: float, text: str = "", *, ignore: bool = False) -> Word:
    """A word 10 pixels high between two columns."""
    return Word(box_to_polygon((x1, 0, x2, 10)), text, ignore=ignore)


def score(truth: list[Word], predictions: list[Word], metric: str) -> Score:
    return evaluate([truth], [predictions], [metric])[metric]


def test_overlaps_of_half_shifted_boxes_are_a_third_and_cover_is_a_half() -> None:
    overlaps = measure_overlaps([word(0, 100), word(500, 600)], [word(50, 150)])
    assert overlaps.iou == pytest.approx(np.array([[1 / 3], [0]]))
    assert overlaps.cover == pytest.approx(np.array([[1 / 2], [0]]))


def test_a_bow_tie_counts_with_its_two_triangles() -> None:
    bow_tie = Word(np.array([[0, 0], [10, 10], [10, 0], [0, 10]]))
    overlaps = measure_overlaps([bow_tie], [word(0, 10)])
    assert overlaps.iou[0, 0] == pytest.approx(1 / 2)


def test_a_prediction_without_area_overlaps_nothing() -> None:
    flat = Word(np.array([[0, 5], [10, 5], [20, 5]]), "flat")
    assert score([word(0, 20, "flat", ignore=True)], [flat], "ic15_detection") == Score(0, 0, 1)


def test_two_of_three_words_found_with_one_false_alarm() -> None:
    truth = [word(0, 100, "one"), word(200, 300, "two"), word(400, 500, "three")]
    predictions = [word(0, 100), word(205, 300), word(700, 800), word(900, 999)]
    result = score(truth, predictions, "ic15_detection")
    assert (result.recall, result.precision) == (2 / 3, 2 / 4)
    assert result.hmean == pytest.approx(2 * (2 / 3) * (1 / 2) / (2 / 3 + 1 / 2))


def test_overlap_of_exactly_one_half_is_not_enough() -> None:
    assert score([word(0, 100, "abc")], [word(0, 50)], "ic15_detection").matched == 0
    assert score([word(0, 100, "abc")], [word(0, 51)], "ic15_detection").matched == 1


def test_a_second_prediction_of_the_same_word_is_a_false_alarm() -> None:
    assert score([word(0, 100, "abc")], [word(0, 100), word(0, 100)], "ic15_detection") == Score(1, 1, 2)


def test_the_first_prediction_that_overlaps_enough_wins_over_a_better_one() -> None:
    predictions = [word(0, 60, "xyz"), word(0, 100, "abc")]
    matched = compare([[word(0, 100, "abc")]], [predictions])[0].match(protocol("ic15_word_spotting"))
    assert matched.pairs == [(0, 0)]
    assert matched.score == Score(0, 1, 2)


def test_a_prediction_mostly_on_a_dont_care_region_is_neither_right_nor_wrong() -> None:
    truth = [word(0, 100, "abc"), word(200, 300, "###")]
    predictions = [word(0, 100), word(201, 210), word(250, 349), word(250, 350)]
    # The third lies on the region with 50 of 99 columns, the fourth with 50 of 100: only more than half excuses.
    assert score(truth, predictions, "ic15_detection") == Score(1, 1, 2)


def test_an_excused_prediction_cannot_match_a_word_beneath_the_same_place() -> None:
    truth = [word(0, 100, "abc"), word(0, 100, ignore=True)]
    assert score(truth, [word(0, 100, "abc")], "ic15_word_spotting") == Score(0, 1, 0)


def test_a_truth_without_text_is_found_in_icdar_detection_and_ignored_in_the_older_f1() -> None:
    truth, predictions = [word(0, 100), word(200, 300, "abc")], [word(0, 100), word(200, 300)]
    assert score(truth, predictions, "ic15_detection") == Score(2, 2, 2)
    assert score(truth, predictions, "f1") == Score(1, 1, 1)


@pytest.mark.parametrize("metric", ["word_spotting", "e2e_recognition", "ic15_word_spotting", "ic15_end_to_end"])
def test_a_prediction_without_text_takes_no_part_in_reading_metrics(metric: str) -> None:
    truth, predictions = [word(0, 100, "abc")], [word(0, 100), word(0, 100, "ABC"), word(300, 400)]
    assert score(truth, predictions, metric) == Score(1, 1, 1)


def test_word_spotting_does_not_ask_for_numbers_or_short_words_but_end_to_end_does() -> None:
    truth = [word(0, 100, "B12"), word(200, 300, "to"), word(400, 500, "Joe's")]
    predictions = [word(0, 100, "b12"), word(200, 300, "xx"), word(400, 500, "joe")]
    assert score(truth, predictions, "ic15_word_spotting") == Score(1, 1, 1)
    assert score(truth, predictions, "ic15_end_to_end") == Score(1, 3, 3)


def test_a_misread_word_is_a_miss_and_a_false_alarm() -> None:
    truth = [word(0, 100, "house"), word(200, 300, "boat")]
    predictions = [word(0, 100, "horse"), word(200, 300, "boat")]
    assert score(truth, predictions, "word_spotting") == Score(1, 2, 2)


def test_images_add_up_before_the_figures_are_made() -> None:
    truth = [[word(0, 100, "abc")], [], [word(0, 100, "abc"), word(200, 300, "def"), word(400, 500, "ghi")]]
    predictions = [[word(0, 100, "abc")], [word(0, 100, "abc")], []]
    result = evaluate(truth, predictions, ["f1"])["f1"]
    assert (result.recall, result.precision) == (1 / 4, 1 / 2)
    assert result.hmean == pytest.approx(1 / 3)


def test_nothing_to_find_and_nothing_found_scores_zero() -> None:
    result = evaluate([[]], [[]], ["f1"])["f1"]
    assert (result.recall, result.precision, result.hmean) == (0, 0, 0)


def test_a_quad_and_a_polygon_of_many_points_are_compared_alike() -> None:
    angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    circle = Word(np.stack([50 + 50 * np.cos(angles), 50 + 50 * np.sin(angles)], axis=1), "round")
    square = Word(box_to_polygon((0, 0, 100, 100)), "round")
    overlap = measure_overlaps([circle], [square]).iou[0, 0]
    assert overlap == pytest.approx(0.5 * 32 * np.sin(2 * np.pi / 32) * 50**2 / 100**2, abs=1e-6)


@pytest.mark.parametrize(
    ("transcription", "form", "asked"),
    [
        ("Joe's", "Joe", True),
        ("JOE'S", "JOE", True),
        ("(open)", "open", True),
        ("-set-", "set", True),
        ("T-shirt", "T-shirt", True),
        ("caf\u00e9", "caf\u00e9", True),
        ('"Joe\'s"', "Joe", True),  # quotes around the whole belong to the file format
        ("Joe's\"", "Joe s", False),  # a single quote does not
        ("a.b", "a b", False),  # an inner space
        ("H&M", "H&M", False),  # a sign that is no letter
        ("B12", "B12", False),  # digits
        ("ab", "ab", False),  # too short
        ("two\u00d7two", "two\u00d7two", False),  # multiplication sign inside the Latin range
        ("it's", "it", False),  # too short once 's is gone
    ],
)
def test_what_word_spotting_compares_and_asks_for(transcription: str, form: str, asked: bool) -> None:
    assert spotting_form(transcription) == form
    assert is_spotting_word(transcription) is asked


@pytest.mark.parametrize(
    ("truth", "reading", "right"),
    [
        ("Open", "OPEN", True),
        ("open!", "open", True),
        ("open!", "open!", True),
        ("'open", "open", True),
        ("(open)", "open", True),
        ("(open)", "open)", True),
        ("open!!", "open", False),  # only one mark may be missing at an end
        ("op-en", "open", False),
        ('"open"', '"open"', True),
        ('"open"', "open", True),
        ('"!open"', "open", True),  # quotes around the whole are not among the marks
        ("-open", "open", False),  # the hyphen is not in the list
        ("open", "open!", False),  # marks are forgiven in the truth only
        ("!", "!", True),
    ],
)
def test_end_to_end_forgives_one_mark_at_each_end_of_the_truth(truth: str, reading: str, right: bool) -> None:
    assert same_but_outer_punctuation(truth, reading) is right


def test_what_is_scored_by_default_is_one_list_of_known_metrics() -> None:
    default = ("f1", "word_spotting", "ic15_detection", "ic15_word_spotting", "ic15_end_to_end")
    assert default == DEFAULT_METRICS
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert parser.get_default("metrics") == ",".join(default)
    assert set(default) < set(METRICS)


def test_an_unknown_metric_is_named_beside_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"no metric is called 'f2'; choose from f1, word_spotting"):
        protocol("f2")


@pytest.mark.parametrize("name", ["word_spotting", "e2e_recognition", "ic15_word_spotting", "ic15_end_to_end"])
def test_case_counts_where_the_model_tells_it_and_only_there(name: str) -> None:
    assert protocol(name).right("Exit", "EXIT")
    assert not protocol(name, fold_case=False).right("Exit", "EXIT")
    assert protocol(name, fold_case=False).right("Exit", "Exit")


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("Аптека", True),
        ("ἀγορά", True),
        ("Straße", True),
        ("東京都", True),
        ("Хлеб2", False),
        ("да", False),
        ("a×b", False),
    ],
    ids=["Cyrillic", "Greek with accents", "Latin", "Han", "a digit", "two letters", "a multiplication sign"],
)
def test_word_spotting_asks_for_words_of_any_script(text: str, counts: bool) -> None:
    assert protocol("word_spotting").counts(Word(box_to_polygon((0, 0, 9, 9)), text)) == counts


def test_a_composed_and_a_decomposed_accent_are_the_same_letter() -> None:
    assert protocol("ic15_end_to_end", fold_case=False).right("Café", "Cafe\u0301")
