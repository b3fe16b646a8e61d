"""Intervals, threshold curves, reading errors and word properties on examples that can be worked out by hand."""

import cv2
import numpy as np
import pytest

from text_spotting.evaluation.characters import ReadingScore, align, confusions, score_readings
from text_spotting.evaluation.evaluate import Score, compare
from text_spotting.evaluation.protocols import protocol
from text_spotting.evaluation.slices import HEIGHT, height, quartiles, rotation, sharpness
from text_spotting.evaluation.statistics import confidence_interval, difference_interval, threshold_curve
from text_spotting.geometry import box_to_polygon
from text_spotting.words import Image, Word


def word(x1: float, x2: float, score: float = 1.0) -> Word:
    return Word(box_to_polygon((x1, 0, x2, 10)), "abc", score)


def turned(degrees: float, width: float = 100, height: float = 20) -> Word:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return Word(np.array([[0, 0], [width, 0], [width, height], [0, height]]) @ turn + 200)


def test_equal_images_leave_no_doubt() -> None:
    assert confidence_interval([Score(1, 2, 2)] * 30) == (0.5, 0.5)


def test_the_interval_of_a_coin_is_the_textbook_one() -> None:
    scores = [Score(outcome, 1, 1) for outcome in [0, 1] * 200]
    low, high = confidence_interval(scores)
    spread = 1.96 * 0.5 / 400**0.5
    assert low == pytest.approx(0.5 - spread, abs=0.01)
    assert high == pytest.approx(0.5 + spread, abs=0.01)


def test_a_paired_difference_is_certain_where_every_image_improves_alike() -> None:
    before = [Score(outcome, 4, 4) for outcome in [0, 1, 2] * 10]
    after = [Score(outcome + 1, 4, 4) for outcome in [0, 1, 2] * 10]
    assert difference_interval(before, after) == pytest.approx((0.25, 0.25))


def test_no_images_have_no_interval() -> None:
    assert confidence_interval([]) == (0, 0)


def test_the_curve_has_a_point_for_every_score_at_which_something_changes() -> None:
    truth = [[word(0, 100), word(200, 300)], [word(0, 100)]]
    predictions = [[word(0, 100, 0.9), word(400, 500, 0.5)], [word(0, 100, 0.5), word(700, 800, 0.1)]]
    curve = threshold_curve(compare(truth, predictions), protocol("ic15_detection"))
    assert curve.thresholds == [0.9, 0.5, 0.1]
    assert curve.scores == [Score(1, 3, 1), Score(2, 3, 3), Score(2, 3, 4)]
    assert curve.best == (0.5, Score(2, 3, 3))


def test_a_lower_threshold_may_let_a_worse_prediction_take_the_word() -> None:
    early, late = Word(box_to_polygon((0, 0, 60, 10)), "xyz", 0.2), word(0, 100, 0.8)
    curve = threshold_curve(compare([[word(0, 100)]], [[early, late]]), protocol("ic15_word_spotting"))
    assert curve.scores == [Score(1, 1, 1), Score(0, 1, 2)]


def test_without_predictions_there_is_no_curve() -> None:
    curve = threshold_curve(compare([[word(0, 100)]], [[]]), protocol("ic15_detection"))
    assert (curve.thresholds, curve.best) == ([], (0.0, Score()))


@pytest.mark.parametrize(
    ("truth", "reading", "pairs"),
    [
        ("BUS", "BUS", [("B", "B"), ("U", "U"), ("S", "S")]),
        ("BUS", "8US", [("B", "8"), ("U", "U"), ("S", "S")]),
        ("BUS", "BS", [("B", "B"), ("U", ""), ("S", "S")]),
        ("BS", "BUS", [("B", "B"), ("", "U"), ("S", "S")]),
        ("", "A", [("", "A")]),
        ("A", "", [("A", "")]),
    ],
)
def test_characters_are_aligned_with_the_fewest_edits(truth: str, reading: str, pairs: list[tuple[str, str]]) -> None:
    assert align(truth, reading) == pairs


def test_reading_scores_and_confusions_ignore_case() -> None:
    readings = [("Bus", "bus"), ("stop", "st0p"), ("no", "now"), ("cab", "cb")]
    assert score_readings(readings) == ReadingScore(words=4, right=1, characters=12, edits=3)
    assert confusions(readings) == {("O", "0"): 1, ("", "W"): 1, ("A", ""): 1}


def test_the_error_rate_of_nothing_is_zero() -> None:
    assert (ReadingScore().accuracy, ReadingScore().character_error_rate) == (0, 0)


@pytest.mark.parametrize("degrees", [0, 10, 45, 90, 135, -30])
def test_rotation_is_the_reading_direction_and_height_does_not_change_with_it(degrees: float) -> None:
    assert rotation(turned(degrees)) == pytest.approx(abs(degrees), abs=0.01)
    assert height(turned(degrees)) == pytest.approx(20, abs=0.01)


def test_a_tall_narrow_word_keeps_its_height() -> None:
    assert height(turned(0, width=8, height=20)) == pytest.approx(20)


def test_an_outline_of_many_points_is_taken_for_its_rectangle() -> None:
    outline = Word(np.array([[0, 0], [50, 0], [100, 0], [100, 20], [50, 20], [0, 20]]))
    assert height(outline) == pytest.approx(20)
    assert rotation(outline) == pytest.approx(0, abs=0.01)


def test_values_fall_into_half_open_bins() -> None:
    assert [HEIGHT.labels[HEIGHT.bin_of(value)] for value in (0, 7.9, 8, 31.9, 48, 1e9)] == [
        "< 8", "< 8", "8-12", "24-32", ">= 48", ">= 48",
    ]  # fmt: skip


def test_quartiles_share_the_values_out_evenly() -> None:
    slicing = quartiles("Sharpness", list(range(100)), ["a", "b", "c", "d"])
    bins = [slicing.bin_of(value) for value in range(100)]
    assert [bins.count(index) for index in range(4)] == [25, 25, 25, 25]


def text_image() -> Image:
    image = np.full((100, 300, 3), 200, np.uint8)
    cv2.putText(image, "WORD", (20, 70), cv2.FONT_HERSHEY_SIMPLEX, 2, (20, 20, 20), 4)
    return image


def test_blur_lowers_sharpness_and_dimming_does_not() -> None:
    image, place = text_image(), Word(box_to_polygon((10, 15, 180, 85)))
    sharp = sharpness(place, image)
    assert sharpness(place, np.asarray(cv2.GaussianBlur(image, (0, 0), 4), np.uint8)) < sharp / 3
    dim = (image.astype(float) * 0.4).astype(np.uint8)
    assert sharpness(place, dim) == pytest.approx(sharp, rel=0.1)


def test_a_word_outside_the_image_has_no_sharpness() -> None:
    assert sharpness(Word(box_to_polygon((900, 900, 990, 950))), text_image()) == 0
