"""Words in a row are found by their outlines, and so is where they meet."""

import numpy as np
import pytest

from text_spotting.data.neighbours import gaps_in, joined, next_words, rows_of_words
from text_spotting.frames import reading_frame
from text_spotting.words import FloatArray


def box(left: float, top: float, right: float, bottom: float) -> FloatArray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def frames(*polygons: FloatArray) -> FloatArray:
    return np.stack([reading_frame(polygon) for polygon in polygons])


FIRST = box(0, 0, 60, 20)
NEXT = {
    "a space away": (box(68, 0, 120, 20), True),
    "touching": (box(58, 0, 120, 20), True),
    "far away: 27 pixels, 1.35 times the height": (box(87, 0, 140, 20), False),
    "overlapping by 4 pixels, 0.2 times the height": (box(56, 0, 120, 20), False),
    "a little lower": (box(68, 6, 120, 26), True),
    "on the next line": (box(68, 8, 120, 28), False),
    "somewhat larger": (box(68, -7, 150, 28), True),
    "twice as high": (box(68, -10, 150, 30), False),
    "under it": (box(0, 24, 60, 44), False),
    "before it": (box(-70, 0, -8, 20), False),
}


@pytest.mark.parametrize(("other", "follows"), NEXT.values(), ids=NEXT)
def test_a_word_follows_another_on_its_line(other: FloatArray, follows: bool) -> None:
    assert next_words(frames(FIRST, other)).get(0) == (1 if follows else None)


def test_a_word_that_runs_elsewhere_does_not_follow() -> None:
    other = box(-26, -10, 26, 10)
    for degrees, follows in ((10, True), (20, False)):
        angle = np.radians(degrees)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], np.float32)
        found = next_words(frames(FIRST, other @ turn + np.array([96, 10], np.float32)))
        assert (found.get(0) == 1) == follows, degrees


def test_of_several_the_nearest_follows() -> None:
    assert next_words(frames(FIRST, box(80, 0, 120, 20), box(66, 2, 78, 20)))[0] == 2


def test_rows_are_two_or_three_words_long() -> None:
    line = frames(*(box(start, 0, start + 40, 20) for start in (0, 50, 100, 150)))
    assert rows_of_words(line) == [[0, 1], [0, 1, 2], [1, 2], [1, 2, 3], [2, 3]]
    assert rows_of_words(line[:1]) == rows_of_words(np.zeros((0, 3, 2), np.float32)) == []


def test_words_in_a_row_have_one_frame_around_them_and_gaps_in_it() -> None:
    frame, gaps = joined([box(10, 0, 30, 20), box(40, 0, 70, 20), box(80, 0, 110, 20)])
    assert frame == pytest.approx(np.array([[10, 0], [100, 0], [0, 20]]), abs=1e-3)
    assert gaps == [pytest.approx((0.2, 0.3)), pytest.approx((0.6, 0.7))]


def test_slanted_words_meet_between_their_middles() -> None:
    slanted = [*np.array([[[0, 0], [20, 0], [16, 20], [-4, 20]], [[30, 0], [60, 0], [56, 20], [26, 20]]], np.float32)]
    ((end, begin),) = gaps_in(np.array([[0, 0], [100, 0], [0, 20]], np.float32), slanted)
    assert (end, begin) == (pytest.approx(0.18), pytest.approx(0.28))  # type: ignore[comparison-overlap]
