"""Words are cut out of the image's own pixels in few sizes, read in batches, and both ways where they stand on end."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from sample_graphs import MANIFEST

from text_spotting.constraints import Lexicon
from text_spotting.decoding import Reading
from text_spotting.frames import cut_out, upside_down
from text_spotting.runtime.reading import agreed, crop_widths, read_features, read_pixels, read_twice, word_crops

SYMBOLS = MANIFEST.symbols
DARK, LIGHT = 40, 220


class FakeEngine:
    """Reads "a" where a crop is dark on its left, else nothing; surer the darker. Notes the sizes it is shown."""

    manifest = replace(MANIFEST, recognizer="r.xml")

    def __init__(self):
        self.shown = []

    def recognize(self, crops):
        self.shown.append(crops.shape)
        count, _, width, _ = crops.shape
        columns = np.zeros((count, width // 4, len(SYMBOLS)), np.float32)
        dark = 1 - crops[:, :, : width // 4].mean(axis=(1, 2, 3)) / 255
        columns[:, :, 0] = 1
        columns[:, 0, 0], columns[:, 0, 2] = 1 - dark, dark
        return columns


def frame(x, y, width, height, degrees=0):
    angle = np.radians(degrees)
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    return np.float32([[x, y], along * width, across * height])


def test_a_word_takes_the_nearest_of_few_widths_that_suits_its_shape():
    frames = np.stack([frame(0, 0, width, 20) for width in (5, 20, 24, 62, 190, 900)])
    # At a height of 32: 8, 32, 38.4, 99.2, 304 and 1440 wide.
    assert crop_widths(frames, 1.0).tolist() == [32, 32, 32, 96, 320, 320]
    assert crop_widths(frames, 1.5).tolist() == [32, 48, 64, 160, 320, 320], "half as wide again"


def test_words_of_one_width_make_a_batch_and_narrow_ones_come_first():
    image = np.full((100, 400, 3), LIGHT, np.uint8)
    frames = np.stack([frame(0, 0, 100, 20), frame(0, 30, 20, 20), frame(0, 60, 101, 20)])
    batches = [(list(rows), crops.shape) for rows, crops in word_crops(image, frames, 1.0)]
    assert batches == [([1], (1, 32, 32, 3)), ([0, 2], (2, 32, 160, 3))]


def test_batches_are_bounded():
    image = np.full((50, 50, 3), LIGHT, np.uint8)
    sizes = [len(rows) for rows, _ in word_crops(image, np.stack([frame(0, 0, 20, 20)] * 150), 1.0)]
    assert sizes == [64, 64, 22]


def test_crops_hold_the_pixels_of_their_frames():
    image = np.full((200, 300, 3), LIGHT, np.uint8)
    image[50:82, 100:132] = DARK
    ((_, crops),) = word_crops(image, frame(100, 50, 64, 32)[None], 1.0)
    assert crops.shape == (1, 32, 64, 3)
    assert crops[0, 1:31, 1:31].max() < DARK + 25, "bilinear samples blend a little at edges"
    assert crops[0, :, 33:].min() == LIGHT


def test_readings_come_in_the_order_of_the_words_whatever_their_widths():
    image = np.full((100, 400, 3), LIGHT, np.uint8)
    image[:20, :200] = DARK
    words = np.stack([frame(0, 0, 150, 20), frame(0, 60, 20, 20), frame(0, 60, 150, 20), frame(0, 0, 20, 20)])
    engine = FakeEngine()
    readings, frames = read_pixels(engine, image, words)
    scores = [reading.score for reading in readings if reading.text]
    assert [bool(reading.score > 0.5 and reading.text) for reading in readings] == [True, False, False, True]
    assert scores == pytest.approx([1 - DARK / 255] * 2, abs=0.01)
    assert np.array_equal(frames, words), "words that lie flat are read one way"
    assert sorted(engine.shown) == [(2, 32, 32, 3), (2, 32, 256, 3)]


def standing_word(dark_end):
    """A bar that stands on end, dark at its top or bottom."""
    image = np.full((300, 300, 3), LIGHT, np.uint8)
    low, high = (20, 80) if dark_end == "top" else (180, 240)
    image[low:high, 100:132] = DARK
    return image, frame(132, 20, 220, 32, 90)


def test_words_of_a_list_take_the_place_of_what_a_recognizer_reads():
    image = np.full((100, 400, 3), LIGHT, np.uint8)
    image[:20, :200] = DARK
    words = np.stack([frame(0, 0, 150, 20), frame(0, 60, 150, 20)])
    (a, nothing), _ = read_pixels(FakeEngine(), image, words, None, Lexicon.of(["B", "A", "ab"], MANIFEST.alphabet))
    assert a.text == "A", "as the list spells it"
    # One column says a, and the word's end counts as a certain one.
    assert a.score == pytest.approx((1 - DARK / 255) ** 0.5, abs=0.01)
    assert (nothing.text, nothing.score) == ("", 0.0)


@pytest.mark.parametrize(("dark_end", "kept"), [("top", 90.0), ("bottom", -90.0)])
def test_a_word_on_end_is_read_in_the_direction_that_is_surer(dark_end, kept):
    image, downwards = standing_word(dark_end)
    (reading,), (found,) = read_pixels(FakeEngine(), image, downwards[None])
    assert reading.text == "a"
    assert reading.score == pytest.approx(1 - DARK / 255, abs=0.02)
    assert np.degrees(np.arctan2(*found[1][::-1])) == pytest.approx(kept)


def test_upside_down_is_the_same_rectangle_read_from_its_other_end():
    image = np.random.default_rng(0).integers(0, 255, (60, 90, 3), np.uint8)
    one = frame(10, 10, 64, 32, 10)
    (other,) = upside_down(one[None])
    turned = cv2.rotate(cut_out(image, one, (32, 64)), cv2.ROTATE_180)
    assert np.abs(cut_out(image, other, (32, 64)).astype(int) - turned).max() <= 2
    assert upside_down(other[None])[0] == pytest.approx(one, abs=1e-4)


def test_the_margin_shows_what_lies_around_a_word():
    image = np.full((100, 100, 3), LIGHT, np.uint8)
    image[40:60, 40:60] = DARK
    engine = FakeEngine()
    (close,), _ = read_pixels(engine, image, frame(40, 40, 20, 20)[None])
    engine.manifest = replace(engine.manifest, read_margin=0.5)
    (wide,), _ = read_pixels(engine, image, frame(40, 40, 20, 20)[None])
    assert close.score == pytest.approx(1 - DARK / 255, abs=0.03)
    assert not wide.text or wide.score < 0.3, "the left quarter of the wider crop is background"


def test_nothing_found_asks_nothing():
    engine = FakeEngine()
    readings, frames = read_pixels(engine, np.zeros((9, 9, 3), np.uint8), np.zeros((0, 3, 2), np.float32))
    assert (readings, len(frames), engine.shown) == ([], 0, [])
    assert read_features(engine, np.zeros((0, 3, 32, 96), np.float32)) == []


def reading(text, score):
    return Reading(text, (score,) * len(text), score, np.zeros((len(text), len(SYMBOLS)), np.float32))


def test_two_readings_that_agree_are_as_sure_as_the_surer_and_others_as_both_together():
    assert agreed(reading("ab", 0.4), reading("ab", 0.9)).score == 0.9
    doubtful = agreed(reading("ab", 0.9), reading("ac", 0.4))
    assert (doubtful.text, doubtful.score) == ("ab", pytest.approx(0.6))


@pytest.mark.parametrize(
    ("score", "word", "again"),
    [
        (0.95, frame(0, 0, 60, 20), False),
        (0.85, frame(0, 0, 60, 20), True),
        (0.04, frame(0, 0, 60, 20), False),
        (0.95, frame(0, 0, 90, 20), True),
        (0.95, frame(60, 0, 60, 20, 90), True),
    ],
    ids=["sure", "doubtful", "hopeless", "long", "standing"],
)
def test_words_are_read_again_from_pixels_where_that_may_help(monkeypatch, score, word, again):
    monkeypatch.setattr("text_spotting.runtime.reading.read_features", lambda *_: [reading("b", score)])
    engine = FakeEngine()
    image = np.full((100, 100, 3), LIGHT, np.uint8)
    (found,), _ = read_twice(engine, image, word[None], np.zeros((1, 3, 32, 96), np.float32))
    assert bool(engine.shown) == again
    assert found.text == "b", "the pixels show nothing that could be surer"
