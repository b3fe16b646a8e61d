"""Every frame of a video is shown with its words, however seldom they are looked for."""

import itertools
import threading
import time
from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np
import pytest

from text_spotting.errors import UserError
from text_spotting.geometry import box_to_polygon
from text_spotting.runtime.flow import View
from text_spotting.runtime.following import spot_each, spot_every, spot_live
from text_spotting.runtime.tracking import WordTracker
from text_spotting.words import Image, Word

STEP = 3
"""Pixels that the camera moves a frame."""


def film(count: int) -> list[Image]:
    """Frames in which a word wanders to the right; a corner pixel, outside of all words, tells the frame's number."""
    frames: list[Image] = []
    for number in range(count):
        frame = np.full((240, 320, 3), 160, np.uint8)
        cv2.putText(frame, "STOP", (20 + STEP * number, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20, 20, 20), 3)
        frame[0, 0] = number
        frames.append(frame)
    return frames


def number_of(frame: Image) -> int:
    return int(frame[0, 0, 0])


def spot(frame: Image) -> list[Word]:
    left = 18 + STEP * number_of(frame)
    return [Word(box_to_polygon([left, 50, left + 100, 86]), "STOP", 0.9)]


def in_turn(frames: Iterable[Image]) -> Iterator[tuple[Image, Sequence[Word]]]:
    for frame in frames:
        yield frame, spot(frame)


class Looks:
    """A spotter's stream that works one frame ahead and remembers what it looked at."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def __call__(self, frames: Iterable[Image]) -> Iterator[tuple[Image, Sequence[Word]]]:
        ahead: list[Image] = []
        for frame in frames:
            self.numbers.append(number_of(frame))
            ahead.append(frame)
            if len(ahead) > 1:
                first = ahead.pop(0)
                yield first, spot(first)
        for frame in ahead:
            yield frame, spot(frame)


def left_sides(shown: Iterable[tuple[Image, list[Word]]]) -> tuple[list[int], list[float]]:
    numbers, lefts = [], []
    for frame, words in shown:
        numbers.append(number_of(frame))
        lefts += [word.box[0] for word in words]
    return numbers, lefts


def test_of_ten_frames_every_fourth_is_looked_at_and_all_are_shown_with_the_word_in_place() -> None:
    looks = Looks()
    numbers, lefts = left_sides(spot_every(film(10), looks, 4, WordTracker()))
    assert looks.numbers == [0, 4, 8]
    assert numbers == list(range(10))
    assert lefts == pytest.approx([18 + STEP * number for number in range(10)], abs=1)


def test_without_tracking_every_frame_is_looked_at() -> None:
    looks = Looks()
    numbers, lefts = left_sides(spot_each(film(3), looks))
    assert (looks.numbers, numbers, lefts) == ([0, 1, 2], [0, 1, 2], [18, 18 + STEP, 18 + 2 * STEP])


def test_frames_before_a_broken_source_are_all_shown() -> None:
    def broken() -> Iterator[Image]:
        yield from film(6)
        raise UserError("the cable was pulled")

    shown = []
    with pytest.raises(UserError, match="cable"):
        for frame, _ in spot_every(broken(), in_turn, 4, WordTracker()):
            shown.append(number_of(frame))
    assert shown == [0, 1, 2, 3, 4, 5]


class Slow:
    """A spotter whose first look ends when it is told to, and a camera that gives frames of 10 ms from then on."""

    def __init__(self, release_at: int) -> None:
        self.release_at = release_at
        self.released, self.ended = threading.Event(), threading.Event()
        self.looked_at: list[int] = []

    def __call__(self, frame: Image) -> list[Word]:
        self.looked_at.append(number_of(frame))
        assert self.released.wait(60)
        self.ended.set()
        return spot(frame)

    def camera(self, count: int) -> Iterator[Image]:
        for frame in film(count):
            if number_of(frame) == self.release_at:
                self.released.set()
                assert self.ended.wait(60)
            if self.released.is_set():
                time.sleep(0.01)
            yield frame


def test_live_frames_wait_for_no_look_and_what_it_finds_is_shown_where_it_is_by_then() -> None:
    slow = Slow(release_at=13)
    lefts: list[float | None] = []
    for _, words in spot_live(slow.camera(40), slow, WordTracker()):
        lefts.append(words[0].box[0] if words else None)
    assert len(lefts) == 40
    assert slow.looked_at[0] == 0
    first = next(number for number, left in enumerate(lefts) if left is not None)
    assert 13 <= first < 20, "thirteen frames came and went during the first look"
    assert lefts[first:] == pytest.approx([18 + STEP * number for number in range(first, 40)], abs=2)


def test_of_a_look_that_lasts_for_many_frames_few_of_them_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("text_spotting.runtime.following._MOST_VIEWS", 4)
    kept: list[int] = []

    def counted(views: list[View]) -> Iterator[tuple[View, View]]:
        kept.append(len(views))
        return itertools.pairwise(views)

    monkeypatch.setattr("text_spotting.runtime.following.pairwise", counted)
    slow = Slow(release_at=16)
    shown = list(spot_live(slow.camera(40), slow, WordTracker()))
    frame, words = next((frame, words) for frame, words in shown if words)
    assert kept[0] <= 6, "of the seventeen that had passed"
    assert words[0].box[0] == pytest.approx(18 + STEP * number_of(frame), abs=3)


def test_a_look_that_fails_ends_the_video_with_what_is_wrong() -> None:
    def fails(frame: Image) -> list[Word]:
        raise UserError("no such model")

    with pytest.raises(UserError, match="no such model"):
        for _ in spot_live(film(200), fails, WordTracker()):
            pass
