"""Words keep their place and their text over the frames of a video."""

import numpy as np
import pytest

from text_spotting.geometry import box_to_polygon
from text_spotting.runtime.tracking import WordTracker, box_iou
from text_spotting.words import Word


def word(text: str, x: float = 0.0) -> Word:
    return Word(box_to_polygon([x, 0, x + 10, 10]), text, 0.9)


def texts(words: list[Word]) -> list[str]:
    return [one.text for one in words]


def test_the_text_of_most_frames_is_shown() -> None:
    tracker = WordTracker()
    shown = [texts(tracker([word(text)])) for text in ("stop", "st0p", "stop", "st0p", "stop")]
    assert shown[-1] == ["stop"]
    assert shown[1] == ["stop"], "one against one: the first stays"


def test_an_unread_frame_does_not_blank_a_label() -> None:
    tracker = WordTracker()
    tracker([word("stop")])
    assert texts(tracker([word("")])) == ["stop"]


def test_a_word_that_moves_a_little_is_the_same_word() -> None:
    tracker = WordTracker()
    tracker([word("stop")])
    (shown,) = tracker([word("shop", x=2)])
    assert (shown.text, shown.box[0]) == ("stop", 2), "the old text at the new place"


def test_a_word_elsewhere_is_another_word() -> None:
    tracker = WordTracker(patience=0)
    tracker([word("stop")])
    assert texts(tracker([word("shop", x=30)])) == ["shop"]


def test_a_lost_word_stays_for_as_long_as_patience_lasts() -> None:
    tracker = WordTracker(patience=2)
    tracker([word("stop")])
    assert [texts(tracker([])) for _ in range(3)] == [["stop"], ["stop"], []]


def test_each_word_goes_to_the_track_it_overlaps_most() -> None:
    tracker = WordTracker()
    tracker([word("left", 0), word("right", 6)])
    shown = tracker([word("x", 5), word("y", 1)])
    assert {one.text: one.box[0] for one in shown} == {"left": 1, "right": 5}


@pytest.mark.parametrize(
    ("second", "expected"),
    [((5, 0, 15, 10), 1 / 3), ((10, 0, 20, 10), 0.0), ((0, 0, 10, 10), 1.0), ((3, 3, 3, 3), 0.0)],
    ids=["half over", "side by side", "the same", "a point"],
)
def test_overlap_of_boxes(second: tuple[float, float, float, float], expected: float) -> None:
    assert box_iou((0, 0, 10, 10), second) == pytest.approx(expected)


def test_the_tracker_leaves_the_words_it_is_given_alone() -> None:
    given = word("stop")
    WordTracker()([given])
    assert np.array_equal(given.polygon, word("stop").polygon)
