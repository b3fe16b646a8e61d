"""Tensors become words at the right place; decoding stops where it should."""

from dataclasses import replace

import numpy as np
import pytest
from sample_graphs import MANIFEST

from text_spotting.postprocess import certainty, greedy_decode, select, to_text, to_words

FULL = np.ones((28, 28), np.float32)


def words_of(boxes, masks, texts=None, confidences=None, *, scale=(1.0, 1.0), size=(1000, 1000)):
    texts = texts or ["a"] * len(boxes)
    confidences = confidences or [1.0] * len(boxes)
    boxes, masks = np.array(boxes, np.float32), np.array(masks, np.float32)
    return to_words(boxes, masks, texts, confidences, scale=scale, image_size=size, manifest=MANIFEST)


def test_a_full_mask_gives_its_whole_box_in_picture_pixels():
    (word,) = words_of([[20, 40, 60, 80, 0.9]], [FULL], scale=(2.0, 4.0))
    assert word.box == pytest.approx((10, 10, 30, 20), abs=1e-3)
    assert word.score == pytest.approx(0.9)


def test_a_mask_on_the_left_half_gives_the_left_half_of_the_box():
    mask = np.zeros((28, 28), np.float32)
    mask[:, :14] = 1
    (word,) = words_of([[0, 0, 100, 50, 0.9]], [mask])
    assert word.box == pytest.approx((0, 0, 50, 50), abs=0.5)


def test_a_diagonal_mask_gives_a_tilted_rectangle():
    rows, columns = np.mgrid[:28, :28]
    (word,) = words_of([[300, 300, 580, 580, 0.9]], [np.abs(rows - columns) < 5])
    sides = np.linalg.norm(np.diff(word.polygon[:3], axis=0), axis=1)
    assert sorted(sides) == pytest.approx([90 / np.sqrt(2), 280 * np.sqrt(2)], rel=0.15), "9 cells of 10 pixels across"


def test_only_the_largest_part_of_a_mask_counts():
    mask = np.zeros((28, 28), np.float32)
    mask[:4, :4] = mask[10:, 10:] = 1
    (word,) = words_of([[0, 0, 28, 28, 0.9]], [mask])
    assert word.box == pytest.approx((10, 10, 28, 28), abs=0.5)


def test_a_mask_is_outlined_between_its_cells_where_its_probability_crosses_the_threshold():
    mask = np.ones((28, 28), np.float32)
    mask[:, 14], mask[:, 15:] = 0.7, 0.1
    (word,) = words_of([[0, 0, 280, 280, 0.9]], [mask])
    # Between the centres of cells 14 (0.7, at 145) and 15 (0.1, at 155) one half lies at 148.3; a grid four times as
    # fine has an edge each 2.5 pixels, one as coarse as the mask would end the word at 150.
    assert word.box[2] == pytest.approx(147.5, abs=0.1)


def test_an_empty_mask_falls_back_to_the_box():
    (word,) = words_of([[1, 2, 3, 4, 0.9]], [FULL * 0])
    assert word.box == pytest.approx((1, 2, 3, 4))


def test_words_stay_inside_the_picture():
    (word,) = words_of([[-5, -5, 50, 50, 0.9]], [FULL], size=(40, 30))
    assert word.box == pytest.approx((0, 0, 40, 30))


def test_a_doubtful_text_is_dropped_but_its_word_is_kept():
    words = words_of([[0, 0, 9, 9, 0.9]] * 2, [FULL] * 2, ["sure", "unsure"], [0.5, 0.49])
    assert [word.text for word in words] == ["sure", ""]


def test_a_score_weighs_finding_with_reading_and_decides_which_words_stay():
    manifest = replace(MANIFEST, text_weight=0.5, word_thr=0.6)
    boxes = np.array([[0, 0, 9, 9, 0.64], [0, 0, 9, 9, 0.64]], np.float32)
    words = to_words(
        boxes,
        np.stack([FULL] * 2),
        ["read", "hardly"],
        [0.81, 0.25],
        scale=(1, 1),
        image_size=(50, 50),
        manifest=manifest,
    )
    # sqrt(0.64 * 0.81) = 0.72 stays, sqrt(0.64 * 0.25) = 0.4 does not.
    assert [(word.text, round(word.score, 4)) for word in words] == [("read", 0.72)]


@pytest.mark.parametrize(
    ("texts", "kept"),
    [
        (["ownflag", "flag", "own"], ["flag", "own"]),
        (["ownflags", "flag", "own"], ["ownflags", "flag", "own"]),
        (["flagown", "flag", "own"], ["flagown", "flag", "own"]),
        (["own", "own", "own"], ["own", "own", "own"]),
    ],
    ids=["two words found as one, too", "a letter more", "the other way round", "the same reading thrice"],
)
def test_what_two_words_read_when_joined_is_no_word(texts, kept):
    boxes = [[0, 0, 100, 20, 0.9], [55, 2, 100, 18, 0.6], [0, 2, 45, 18, 0.6]]
    assert [word.text for word in words_of(boxes, [FULL] * 3, texts)] == kept


def test_words_too_doubtful_to_stay_still_tell_that_another_joins_them():
    boxes = np.array([[0, 0, 100, 20, 0.9], [0, 2, 45, 18, 0.4], [55, 2, 100, 18, 0.8]], np.float32)
    words = to_words(
        boxes,
        np.stack([FULL] * 3),
        ["ownflag", "own", "flag"],
        [1.0] * 3,
        scale=(1, 1),
        image_size=(200, 50),
        manifest=replace(MANIFEST, word_thr=0.5),
    )
    assert [word.text for word in words] == ["flag"]


@pytest.mark.parametrize(
    ("left", "kept"), [(-12, ["flag", "own"]), (-18, ["ownflag", "flag", "own"])], ids=["73 %", "60 %"]
)
def test_a_part_lies_in_the_whole_by_seven_tenths_at_least(left, kept):
    boxes = [[0, 0, 100, 20, 0.9], [55, 2, 100, 18, 0.6], [left, 2, left + 45, 18, 0.6]]
    corners = [[box[0] + 50, *box[1:2], box[2] + 50, *box[3:]] for box in boxes]
    assert [word.text for word in words_of(corners, [FULL] * 3, ["ownflag", "flag", "own"])] == kept


def test_words_beside_one_that_reads_like_both_do_not_touch_it():
    boxes = [[0, 0, 100, 20, 0.9], [0, 30, 45, 50, 0.6], [55, 30, 100, 50, 0.6]]
    assert len(words_of(boxes, [FULL] * 3, ["ownflag", "own", "flag"])) == 3


def test_more_words_than_opencv_has_channels():
    assert len(words_of([[0, 0, 9, 9, 0.9]] * 600, [FULL] * 600)) == 600


def test_no_detection_no_words():
    assert words_of(np.zeros((0, 5)), np.zeros((0, 28, 28))) == []


def test_selection_drops_low_scores_and_boxes_without_area():
    boxes = np.array([[0, 0, 9, 9, 0.9], [0, 0, 9, 9, 0.5], [3, 3, 3, 9, 0.9], [0, 0, 9, 9, 0.6]], np.float32)
    assert select(boxes, MANIFEST).tolist() == [0, 3]


class Script:
    """A decoder that writes each word's prepared symbols with a given probability."""

    def __init__(self, words, probability):
        self.words, self.probability, self.calls = words, probability, 0

    def __call__(self, symbols, state):
        rest = np.log((1 - self.probability) / 37)
        logits = np.full((len(self.words), 38), rest, np.float32)
        for row, word in enumerate(self.words):
            logits[row, word[state] if state < len(word) else 5] = np.log(self.probability)
        self.calls += 1
        return logits, state + 1


def test_decoding_ends_with_the_longest_word():
    script = Script([[2, 3, 1], [4, 1]], 0.9)
    symbols, confidences = greedy_decode(script, 0, 2, MANIFEST)
    assert script.calls == 3
    assert [to_text(row, MANIFEST) for row in symbols] == ["ab", "c"]
    assert confidences == pytest.approx([0.9**3, 0.9**2], rel=1e-5)


def test_decoding_ends_at_the_maximum_length():
    script = Script([[2] * 99], 0.9)
    symbols, _ = greedy_decode(script, 0, 1, MANIFEST)
    assert symbols.shape == (1, 28)


def test_decoding_nothing_asks_nothing():
    script = Script([], 0.9)
    symbols, confidences = greedy_decode(script, 0, 0, MANIFEST)
    assert (script.calls, symbols.shape, confidences.shape) == (0, (0, 0), (0,))


def test_the_certainty_of_a_symbol_is_its_softmax_even_for_large_logits():
    assert certainty(np.array([[1000.0, 1000.0], [0.0, np.log(3)]], np.float32)) == pytest.approx([0.5, 0.75])
