"""Words are cut out of the image's own pixels in few sizes, read in batches, and both ways where they stand on end."""

import threading
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from sample_graphs import MANIFEST

from text_spotting.constraints import Lexicon
from text_spotting.contract import Engine
from text_spotting.decoding import Reading
from text_spotting.frames import cut_out, upside_down
from text_spotting.runtime.reading import (
    agreed,
    batches,
    crop_widths,
    read_features,
    read_pixels,
    read_twice,
    word_crops,
)
from text_spotting.words import FloatArray, Image

SYMBOLS = MANIFEST.symbols
DARK, LIGHT = 40, 220
CERTAIN = np.ones(1, np.float32)


class FakeEngine:
    """Reads "a" where a crop is dark on its left, else nothing; surer the darker. Notes the sizes it is shown."""

    manifest = replace(MANIFEST, recognizer="r.xml")
    hidden_size = 3

    def __init__(self, parallel: int = 1) -> None:
        self.shown: list[tuple[int, ...]] = []
        self.parallel = parallel

    def unasked(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    detect = encode = step = unasked

    def recognize(self, crops: Image) -> FloatArray:
        self.shown.append(crops.shape)
        count, _, width, _ = crops.shape
        columns = np.zeros((count, width // 4, len(SYMBOLS)), np.float32)
        dark = 1 - crops[:, :, : width // 4].mean(axis=(1, 2, 3)) / 255
        columns[:, :, 0] = 1
        columns[:, 0, 0], columns[:, 0, 2] = 1 - dark, dark
        return columns


def frame(x: float, y: float, width: float, height: float, degrees: float = 0) -> FloatArray:
    angle = np.radians(degrees)
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    return np.array([[x, y], along * width, across * height], np.float32)


def test_a_word_takes_the_nearest_of_few_widths_that_suits_its_shape() -> None:
    frames = np.stack([frame(0, 0, width, 24) for width in (6, 24, 30, 75, 220, 900)])
    # At a height of 32: 8, 32, 40, 100, 293 and 1200 wide.
    assert crop_widths(frames, 1.5).tolist() == [32, 32, 32, 96, 320, 320]


@pytest.mark.parametrize(("height", "width"), [(6, 96), (18, 96), (24, 128), (30, 160), (36, 192), (99, 192)], ids=str)
def test_small_words_are_squeezed_and_large_ones_stretched(height: int, width: int) -> None:
    """Four times as long as high: 128 pixels at 32; times 0.75 at least, 1.5 at most."""
    assert crop_widths(frame(0, 0, 4 * height, height)[None], 1.5).tolist() == [width]


def test_a_model_that_is_to_squeeze_words_squeezes_all() -> None:
    assert crop_widths(np.stack([frame(0, 0, 4 * side, side) for side in (6, 90)]), 0.5).tolist() == [64, 64]


def test_words_of_one_width_make_a_batch_and_wide_ones_come_first() -> None:
    image = np.full((100, 400, 3), LIGHT, np.uint8)
    frames = np.stack([frame(0, 0, 120, 24), frame(0, 30, 24, 24), frame(0, 60, 121, 24)])
    cut = [(list(rows), crops.shape) for rows, crops in word_crops(image, frames, 1.0)]
    assert cut == [([0, 2], (2, 32, 160, 3)), ([1], (1, 32, 32, 3))]


@pytest.mark.parametrize(
    ("widths", "together"),
    [
        ([96, 80], [(96, [0, 1])]),
        ([80, 96, 80, 80], [(96, [1, 0, 2, 3])]),
        ([80, 96, 80, 80, 80], [(96, [1]), (80, [0, 2, 3, 4])]),
        ([96, 64], [(96, [0, 1])]),
        ([112, 64], [(112, [0]), (64, [1])]),
        ([192, 160, 128, 112, 112], [(192, [0, 1]), (128, [2, 3, 4])]),
        ([96] * 9 + [64], [(96, [0, 1]), (96, [2, 3, 4, 5, 6, 7, 8, 9])]),
        ([], []),
    ],
    ids=[
        "a little wider",
        "48 columns more",
        "64 columns more",
        "half as wide again",
        "wider than that",
        "better with the next narrower ones than with the wider ones",
        "more than eight",
        "no words",
    ],
)
def test_narrower_words_join_wider_ones_where_that_costs_less_than_a_call(
    widths: list[int], together: list[tuple[int, list[int]]]
) -> None:
    assert batches(np.array(widths, np.int64)) == together


def test_batches_are_bounded() -> None:
    image = np.full((50, 50, 3), LIGHT, np.uint8)
    sizes = [len(rows) for rows, _ in word_crops(image, np.stack([frame(0, 0, 20, 20)] * 150), 1.0)]
    assert sorted(sizes) == [6] + [8] * 18


@pytest.mark.parametrize(
    ("count", "parallel", "sizes"), [(8, 1, [8]), (8, 2, [4, 4]), (8, 4, [2] * 4), (3, 4, [1, 2]), (40, 2, [8] * 5)]
)
def test_words_are_shared_out_to_what_is_computed_side_by_side(count: int, parallel: int, sizes: list[int]) -> None:
    engine = FakeEngine(parallel)
    read_pixels(engine, np.full((50, 50, 3), LIGHT, np.uint8), np.stack([frame(0, 0, 20, 20)] * count))
    assert sorted(shape[0] for shape in engine.shown) == sizes


def test_batches_are_read_side_by_side() -> None:
    class Meeting(FakeEngine):
        both = threading.Barrier(2, timeout=10)

        def recognize(self, crops: Image) -> FloatArray:
            self.both.wait()
            return super().recognize(crops)

    read_pixels(Meeting(2), np.full((50, 50, 3), LIGHT, np.uint8), np.stack([frame(0, 0, 20, 20)] * 4))


def test_crops_hold_the_pixels_of_their_frames() -> None:
    image = np.full((200, 300, 3), LIGHT, np.uint8)
    image[50:82, 100:132] = DARK
    ((_, crops),) = word_crops(image, frame(100, 50, 64, 32)[None], 1.0)
    assert crops.shape == (1, 32, 64, 3)
    assert crops[0, 1:31, 1:31].max() < DARK + 25, "bilinear samples blend a little at edges"
    assert crops[0, :, 33:].min() == LIGHT


def test_readings_come_in_the_order_of_the_words_whatever_their_widths() -> None:
    image = np.full((100, 400, 3), LIGHT, np.uint8)
    image[:20, :200] = DARK
    words = np.stack([frame(0, 0, 150, 20), frame(0, 60, 20, 20), frame(0, 60, 150, 20), frame(0, 0, 20, 20)])
    engine = FakeEngine()
    readings, frames = read_pixels(engine, image, words)
    scores = [reading.score for reading in readings if reading.text]
    assert [bool(reading.score > 0.5 and reading.text) for reading in readings] == [True, False, False, True]
    assert scores == pytest.approx([1 - DARK / 255] * 2, abs=0.01)
    assert np.array_equal(frames, words), "words that lie flat are read one way"
    assert engine.shown == [(2, 32, 192, 3), (2, 32, 32, 3)]


def standing_word(dark_end: str) -> tuple[Image, FloatArray]:
    """A bar that stands on end, dark at its top or bottom."""
    image = np.full((300, 300, 3), LIGHT, np.uint8)
    low, high = (20, 80) if dark_end == "top" else (180, 240)
    image[low:high, 100:132] = DARK
    return image, frame(132, 20, 220, 32, 90)


def test_words_of_a_list_take_the_place_of_what_a_recognizer_reads() -> None:
    image = np.full((100, 400, 3), LIGHT, np.uint8)
    image[:20, :200] = DARK
    words = np.stack([frame(0, 0, 150, 20), frame(0, 60, 150, 20)])
    (a, nothing), _ = read_pixels(FakeEngine(), image, words, None, Lexicon.of(["B", "A", "ab"], MANIFEST.alphabet))
    assert a.text == "A", "as the list spells it"
    # One column says a, and the word's end counts as a certain one.
    assert a.score == pytest.approx((1 - DARK / 255) ** 0.5, abs=0.01)
    assert (nothing.text, nothing.score) == ("", 0.0)


@pytest.mark.parametrize(("dark_end", "kept"), [("top", 90.0), ("bottom", -90.0)])
def test_a_word_on_end_is_read_in_the_direction_that_is_surer(dark_end: str, kept: float) -> None:
    image, downwards = standing_word(dark_end)
    (reading,), (found,) = read_pixels(FakeEngine(), image, downwards[None])
    assert reading.text == "a"
    assert reading.score == pytest.approx(1 - DARK / 255, abs=0.02)
    assert np.degrees(np.arctan2(*found[1][::-1])) == pytest.approx(kept)


def test_upside_down_is_the_same_rectangle_read_from_its_other_end() -> None:
    image = np.random.default_rng(0).integers(0, 255, (60, 90, 3), np.uint8)
    one = frame(10, 10, 64, 32, 10)
    (other,) = upside_down(one[None])
    turned = cv2.rotate(cut_out(image, one, (32, 64)), cv2.ROTATE_180)
    assert np.abs(cut_out(image, other, (32, 64)).astype(int) - turned).max() <= 2
    assert upside_down(other[None])[0] == pytest.approx(one, abs=1e-4)


def test_the_margin_shows_what_lies_around_a_word() -> None:
    image = np.full((100, 100, 3), LIGHT, np.uint8)
    image[40:60, 40:60] = DARK
    engine = FakeEngine()
    (close,), _ = read_pixels(engine, image, frame(40, 40, 20, 20)[None])
    engine.manifest = replace(engine.manifest, read_margin=0.5)
    (wide,), _ = read_pixels(engine, image, frame(40, 40, 20, 20)[None])
    assert close.score == pytest.approx(1 - DARK / 255, abs=0.03)
    assert not wide.text or wide.score < 0.3, "the left quarter of the wider crop is background"


def test_nothing_found_asks_nothing() -> None:
    engine = FakeEngine()
    readings, frames = read_pixels(engine, np.zeros((9, 9, 3), np.uint8), np.zeros((0, 3, 2), np.float32))
    assert (readings, len(frames), engine.shown) == ([], 0, [])
    assert read_features(engine, np.zeros((0, 3, 32, 96), np.float32)) == []


def reading(text: str, score: float) -> Reading:
    return Reading(text, (score,) * len(text), score, np.zeros((len(text), len(SYMBOLS)), np.float32))


def test_two_readings_that_agree_are_as_sure_as_the_surer_and_others_as_both_together() -> None:
    assert agreed(reading("ab", 0.4), reading("ab", 0.9)).score == 0.9
    doubtful = agreed(reading("ab", 0.9), reading("ac", 0.4))
    assert (doubtful.text, doubtful.score) == ("ab", pytest.approx(0.6))  # type: ignore[comparison-overlap]


def bar(darkness: float) -> tuple[Image, FloatArray]:
    """A word whose left quarter is dark, which a recognizer is as sure of to be an "a" as it is dark."""
    image = np.full((24, 96, 3), 255, np.uint8)
    image[:, :24] = round(255 * (1 - darkness))
    return image, frame(0, 0, 96, 24)


@pytest.mark.parametrize(
    ("darkness", "again"),
    [(0.9, False), (0.8, True), (0.55, True), (0.15, True)],
    ids=["sure", "less sure", "doubtful", "nearly hopeless"],
)
def test_what_pixels_leave_in_doubt_is_read_from_features_too(
    monkeypatch: pytest.MonkeyPatch, darkness: float, again: bool
) -> None:
    asked: list[FloatArray] = []

    def from_features(engine: Engine, features: FloatArray, *_: object) -> list[Reading]:
        asked.extend(features)
        return [reading("b", 0.95)] * len(features)

    monkeypatch.setattr("text_spotting.runtime.reading.read_features", from_features)
    image, word = bar(darkness)
    (found,), _ = read_twice(FakeEngine(), image, word[None], CERTAIN, np.zeros((1, 3, 32, 96), np.float32))
    assert len(asked) == again
    assert found.text == ("b" if again else "a")
    assert found.score == pytest.approx((0.95 * darkness) ** 0.5 if again else darkness, abs=0.01)


def test_what_is_hopeless_from_pixels_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A blank word is 1 per cent sure to hold something."""
    monkeypatch.setattr(
        "text_spotting.runtime.reading.read_features", lambda *_: pytest.fail("read again") if len(_[1]) else []
    )
    image, word = bar(0.05)
    (found,), _ = read_twice(FakeEngine(), image, word[None], CERTAIN, np.zeros((1, 3, 32, 96), np.float32))
    assert (found.text, found.score) == ("", pytest.approx(0.05, abs=0.01))  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(("score", "kept"), [(0.9, 90.0), (0.2, -90.0)], ids=["features surer", "pixels surer"])
def test_a_word_turned_over_for_one_reading_is_turned_back_where_the_other_is_kept(
    monkeypatch: pytest.MonkeyPatch, score: float, kept: float
) -> None:
    monkeypatch.setattr("text_spotting.runtime.reading.read_features", lambda _, features, *__: [reading("b", score)])
    image, downwards = standing_word("bottom")
    image[image == DARK] = 128  # half dark, half sure
    _, (found,) = read_twice(FakeEngine(), image, downwards[None], CERTAIN, np.zeros((1, 3, 32, 96), np.float32))
    assert np.degrees(np.arctan2(*found[1][::-1])) == pytest.approx(kept)


@pytest.mark.parametrize(
    ("darkness", "box_score", "turned"),
    [(0.9, 0.95, True), (0.9, 0.85, False), (0.8, 0.95, False)],
    ids=["sure", "hardly a word", "not sure upside down either"],
)
def test_what_is_surely_a_word_but_unreadable_is_read_upside_down(
    monkeypatch: pytest.MonkeyPatch, darkness: float, box_score: float, turned: bool
) -> None:
    monkeypatch.setattr(
        "text_spotting.runtime.reading.read_features", lambda _, features, *__: [reading("b", 0.3)] * len(features)
    )
    image, word = bar(darkness)
    image = np.ascontiguousarray(cv2.rotate(image, cv2.ROTATE_180))
    ((found,), (kept,)) = read_twice(
        FakeEngine(), image, word[None], np.array([box_score]), np.zeros((1, 3, 32, 96), np.float32)
    )
    assert found.text == ("a" if turned else "")
    assert (kept[1] @ word[1] < 0) == turned


class TwoWords(FakeEngine):
    """Reads "a" on the left end, "b" on the right, and sees words meet three quarters along."""

    def recognize(self, crops: Image) -> FloatArray:
        self.shown.append(crops.shape)
        count, _, width, _ = crops.shape
        columns = np.zeros((count, width // 4, len(SYMBOLS)), np.float32)
        columns[:, :, 0] = 1
        for place, symbol, score in ((0, 2, 0.6), (-1, 3, 0.9)):
            columns[:, place, 0], columns[:, place, symbol] = 1 - score, score
        columns[:, width // 4 * 3 // 4, 1] = 0.9
        return columns


def test_what_turns_out_to_be_two_words_has_parts_and_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "text_spotting.runtime.reading.read_features", lambda *_: pytest.fail("read again") if len(_[1]) else []
    )
    image = np.full((24, 96, 3), 255, np.uint8)
    word = frame(0, 0, 96, 24)[None]
    (found,), _ = read_twice(TwoWords(), image, word, CERTAIN, np.zeros((1, 3, 32, 96), np.float32))
    assert (found.text, found.score) == ("ab", pytest.approx(0.54)), "doubtful, and yet read once"  # type: ignore[comparison-overlap]
    assert [(part.reading.text, part.reading.score) for part in found.parts] == [  # type: ignore[comparison-overlap]
        ("a", pytest.approx(0.6)),
        ("b", pytest.approx(0.9)),
    ]
    # 128 pixels wide: 32 columns, of which the 25th is neither's.
    assert [(part.start, part.end) for part in found.parts] == [(0, 24 / 32), (25 / 32, 1)]


def test_parts_are_shares_of_the_word_without_its_margin() -> None:
    """Half a height, 12 pixels, more on each side: 120 pixels, 40 columns at 32 pixels high."""
    engine = TwoWords()
    engine.manifest = replace(engine.manifest, read_margin=0.5)
    image = np.full((90, 200, 3), 255, np.uint8)
    (found,), _ = read_pixels(engine, image, frame(50, 30, 96, 24)[None])
    ((_, _, width, _),) = engine.shown
    columns = width // 4
    ends = [(columns * 3 // 4) / columns, (columns * 3 // 4 + 1) / columns]
    assert [found.parts[0].end, found.parts[1].start] == pytest.approx([(end * 120 - 12) / 96 for end in ends])
    assert found.parts[0].start == pytest.approx(-0.125)


def test_each_part_is_looked_up_in_a_list_of_words() -> None:
    image = np.full((24, 96, 3), 255, np.uint8)
    lexicon = Lexicon.of(["A", "B"], MANIFEST.alphabet)
    (found,), _ = read_pixels(TwoWords(), image, frame(0, 0, 96, 24)[None], None, lexicon)
    assert [part.reading.text for part in found.parts] == ["A", "B"]


def test_a_word_of_a_list_is_not_taken_apart() -> None:
    """As AB: (0.6 * 0.9) ** (1 / 3) = 0.81; as A 0.6 ** 0.5 = 0.77, as B 0.95."""
    image = np.full((24, 96, 3), 255, np.uint8)
    lexicon = Lexicon.of(["A", "B", "AB"], MANIFEST.alphabet)
    (found,), _ = read_pixels(TwoWords(), image, frame(0, 0, 96, 24)[None], None, lexicon)
    assert (found.text, found.parts, found.score) == ("AB", (), pytest.approx(0.814, abs=1e-3))  # type: ignore[comparison-overlap]
