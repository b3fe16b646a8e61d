"""Tensors become words at the right place."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from sample_graphs import MANIFEST

from text_spotting.decoding import Part, Reading
from text_spotting.frames import mask_frames, upside_down
from text_spotting.geometry import intersection_area, start_at_top_left
from text_spotting.manifest import Manifest
from text_spotting.postprocess import select, to_image, to_words
from text_spotting.words import FloatArray, Word

FULL = np.ones((28, 28), np.float32)


def words_of(
    boxes: Sequence[ArrayLike] | NDArray[Any],
    masks: Sequence[ArrayLike] | NDArray[Any],
    texts: list[str] | None = None,
    confidences: list[float] | None = None,
    *,
    scale: tuple[float, float] = (1.0, 1.0),
    size: tuple[int, int] = (1000, 1000),
) -> list[Word]:
    texts = texts or ["a"] * len(boxes)
    confidences = confidences or [1.0] * len(boxes)
    boxes, masks = to_image(np.array(boxes, np.float32), scale), np.array(masks, np.float32)
    return placed(boxes, masks, texts, confidences, size, MANIFEST)


def placed(
    boxes: FloatArray,
    masks: FloatArray,
    texts: list[str],
    confidences: list[float],
    size: tuple[int, int],
    manifest: Manifest,
) -> list[Word]:
    readings = [
        Reading(text, (score,) * len(text), score, np.zeros((0, 38), np.float32))
        for text, score in zip(texts, confidences, strict=True)
    ]
    frames = mask_frames(boxes[:, :4], masks, manifest.mask_thr)
    return to_words(boxes, masks, frames, readings, image_size=size, manifest=manifest)


def test_a_full_mask_gives_its_whole_box_in_image_pixels() -> None:
    (word,) = words_of([[20, 40, 60, 80, 0.9]], [FULL], scale=(2.0, 4.0))
    assert word.box == pytest.approx((10, 10, 30, 20), abs=1e-3)
    assert word.score == pytest.approx(0.9)


def test_a_mask_on_the_left_half_gives_the_left_half_of_the_box() -> None:
    mask = np.zeros((28, 28), np.float32)
    mask[:, :14] = 1
    (word,) = words_of([[0, 0, 100, 50, 0.9]], [mask])
    assert word.box == pytest.approx((0, 0, 50, 50), abs=0.5)


def test_a_diagonal_mask_gives_a_tilted_rectangle() -> None:
    rows, columns = np.mgrid[:28, :28]
    (word,) = words_of([[300, 300, 580, 580, 0.9]], [np.abs(rows - columns) < 5])
    sides = np.linalg.norm(np.diff(word.polygon[:3], axis=0), axis=1)
    assert sorted(sides) == pytest.approx([90 / np.sqrt(2), 280 * np.sqrt(2)], rel=0.15), "9 cells of 10 pixels across"


def test_only_the_largest_part_of_a_mask_counts() -> None:
    mask = np.zeros((28, 28), np.float32)
    mask[:4, :4] = mask[10:, 10:] = 1
    (word,) = words_of([[0, 0, 28, 28, 0.9]], [mask])
    assert word.box == pytest.approx((10, 10, 28, 28), abs=0.5)


def test_a_mask_is_outlined_between_its_cells_where_its_probability_crosses_the_threshold() -> None:
    mask = np.ones((28, 28), np.float32)
    mask[:, 14], mask[:, 15:] = 0.7, 0.1
    (word,) = words_of([[0, 0, 280, 280, 0.9]], [mask])
    # Between the centres of cells 14 (0.7, at 145) and 15 (0.1, at 155) one half lies at 148.3; a grid four times as
    # fine has an edge each 2.5 pixels, one as coarse as the mask would end the word at 150.
    assert word.box[2] == pytest.approx(147.5, abs=0.1)


def test_an_empty_mask_falls_back_to_the_box() -> None:
    (word,) = words_of([[1, 2, 3, 4, 0.9]], [FULL * 0])
    assert word.box == pytest.approx((1, 2, 3, 4))


def test_words_stay_inside_the_image() -> None:
    (word,) = words_of([[-5, -5, 50, 50, 0.9]], [FULL], size=(40, 30))
    assert word.box == pytest.approx((0, 0, 40, 30))


def test_a_doubtful_text_is_dropped_but_its_word_is_kept() -> None:
    words = words_of([[0, 0, 9, 9, 0.9]] * 2, [FULL] * 2, ["sure", "unsure"], [0.5, 0.49])
    assert [word.text for word in words] == ["sure", ""]


def test_a_score_weighs_finding_with_reading_and_decides_which_words_stay() -> None:
    manifest = replace(MANIFEST, text_weight=0.5, word_thr=0.6)
    boxes = np.array([[0, 0, 9, 9, 0.64], [0, 0, 9, 9, 0.64]], np.float32)
    words = placed(boxes, np.stack([FULL] * 2), ["read", "hardly"], [0.81, 0.25], (50, 50), manifest)
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
def test_what_two_words_read_when_joined_is_no_word(texts: list[str], kept: list[str]) -> None:
    boxes = [[0, 0, 100, 20, 0.6], [55, 2, 100, 18, 0.9], [0, 2, 45, 18, 0.9]]
    assert [word.text for word in words_of(boxes, [FULL] * 3, texts)] == kept


def test_words_too_doubtful_to_stay_still_tell_that_another_joins_them() -> None:
    boxes = np.array([[0, 0, 100, 20, 0.9], [0, 2, 45, 18, 0.4], [55, 2, 100, 18, 0.8]], np.float32)
    manifest = replace(MANIFEST, word_thr=0.5)
    words = placed(boxes, np.stack([FULL] * 3), ["ownflag", "own", "flag"], [1.0] * 3, (200, 50), manifest)
    assert [word.text for word in words] == ["flag"]


@pytest.mark.parametrize(
    ("left", "kept"), [(-12, ["flag", "own"]), (-18, ["ownflag", "flag", "own"])], ids=["73 %", "60 %"]
)
def test_a_part_lies_in_the_whole_by_seven_tenths_at_least(left: int, kept: list[str]) -> None:
    boxes = [[0, 0, 100, 20, 0.6], [55, 2, 100, 18, 0.9], [left, 2, left + 45, 18, 0.9]]
    corners = [[box[0] + 50, *box[1:2], box[2] + 50, *box[3:]] for box in boxes]
    assert [word.text for word in words_of(corners, [FULL] * 3, ["ownflag", "flag", "own"])] == kept


@pytest.mark.parametrize(
    ("word", "texts", "stays"),
    [
        ([0, 2, 45, 18, 0.8], ("flags", "flag"), False),
        ([0, 2, 45, 18, 0.8], ("flags", "flags"), False),
        ([0, 2, 45, 18, 0.8], ("flags", "flog"), True),
        ([0, 2, 45, 18, 0.9], ("flags", "flag"), False),
        ([0, 2, 45, 18, 0.91], ("flags", "flag"), True),
        ([0, 2, 45, 18, 0.8], ("flags", ""), True),
        ([-11, 2, 34, 18, 0.8], ("flags", "flag"), False),
        ([-18, 2, 27, 18, 0.8], ("flags", "flag"), True),
        ([-20, -20, 120, 40, 0.8], ("flags", "flag"), True),
    ],
    ids=[
        "a piece",
        "the same",
        "reads otherwise",
        "as sure",
        "surer",
        "unread",
        "76 % in it",
        "60 % in it",
        "around it",
    ],
)
def test_a_piece_of_a_surer_word_that_it_lies_in_is_no_word(
    word: list[float], texts: tuple[str, str], stays: bool
) -> None:
    boxes = np.array([[0, 0, 100, 20, 0.9], word], np.float32) + np.array([30, 30, 30, 30, 0], np.float32)
    words = words_of(boxes, [FULL] * 2, list(texts))
    assert [word.text for word in words] == (list(texts) if stays else ["flags"])


def test_words_beside_one_that_reads_like_both_do_not_touch_it() -> None:
    boxes = [[0, 0, 100, 20, 0.9], [0, 30, 45, 50, 0.6], [55, 30, 100, 50, 0.6]]
    assert len(words_of(boxes, [FULL] * 3, ["ownflag", "own", "flag"])) == 3


def test_more_words_than_opencv_has_channels() -> None:
    assert len(words_of([[0, 0, 9, 9, 0.9]] * 600, [FULL] * 600)) == 600


def test_no_detection_no_words() -> None:
    assert words_of(np.zeros((0, 5)), np.zeros((0, 28, 28))) == []


def test_selection_drops_low_scores_and_boxes_without_area() -> None:
    boxes = np.array([[0, 0, 9, 9, 0.9], [0, 0, 9, 9, 0.5], [3, 3, 3, 9, 0.9], [0, 0, 9, 9, 0.6]], np.float32)
    assert select(boxes, MANIFEST).tolist() == [0, 3]


def turned_box(degrees: float) -> tuple[list[float], NDArray[np.bool_], NDArray[np.float64]]:
    """A bar 200 long and 40 high, turned about (300, 300): its detection and mask."""
    along = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    across = np.array([-along[1], along[0]])
    corners = np.array([300, 300]) + np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) @ np.stack(
        [100 * along, 20 * across]
    )
    (x1, y1), (x2, y2) = corners.min(axis=0), corners.max(axis=0)
    cells = (np.arange(28) + 0.5) / 28
    xs, ys = np.meshgrid(x1 + cells * (x2 - x1) - 300, y1 + cells * (y2 - y1) - 300)
    inside = (np.abs(xs * along[0] + ys * along[1]) <= 100) & (np.abs(xs * across[0] + ys * across[1]) <= 20)
    return [x1, y1, x2, y2, 0.9], inside, corners


@pytest.mark.parametrize("degrees", [-80, -45, -30, -5, 0, 3, 30, 44, 60, 85])
def test_a_polygon_starts_at_the_top_left_of_its_text_and_runs_clockwise(degrees: float) -> None:
    box, mask, corners = turned_box(degrees)
    (word,) = words_of([box], [mask])
    assert np.abs(word.polygon - corners).max() < 12, "the corners in this order, give or take a cell of the mask"
    assert word.angle == pytest.approx(degrees, abs=4)


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [2, 3, 0, 1], [3, 2, 1, 0], [1, 0, 3, 2]])
@pytest.mark.parametrize("degrees", [0, 20, 45, -70])
def test_the_start_does_not_depend_on_the_order_that_opencv_gives(order: list[int], degrees: float) -> None:
    _, _, corners = turned_box(degrees)
    assert start_at_top_left(corners[order].astype(np.float32)) == pytest.approx(corners, abs=1e-3)


def test_a_word_read_upside_down_starts_at_its_own_top_left() -> None:
    box, mask, corners = turned_box(0)
    frames = upside_down(mask_frames(np.array([box[:4]], np.float32), np.array([mask], np.float32), 0.5))
    reading = Reading("up", (1.0, 1.0), 1.0, np.zeros((2, 38), np.float32))
    (word,) = to_words(
        np.array([box], np.float32),
        np.array([mask], np.float32),
        frames,
        [reading],
        image_size=(999, 999),
        manifest=MANIFEST,
    )
    assert np.abs(word.polygon - corners[[2, 3, 0, 1]]).max() < 12
    assert abs(word.angle) == pytest.approx(180, abs=1)


def read_as(text: str, score: float = 1.0, parts: Sequence[Part] = ()) -> Reading:
    return Reading(text, (score,) * len(text), score, np.zeros((len(text), 38), np.float32), tuple(parts))


def parted(
    boxes: Sequence[ArrayLike] | NDArray[Any],
    readings: list[Reading],
    manifest: Manifest = MANIFEST,
    frames: FloatArray | None = None,
) -> list[Word]:
    boxes = np.array(boxes, np.float32)
    masks = np.stack([FULL] * len(boxes))
    frames = mask_frames(boxes[:, :4], masks, manifest.mask_thr) if frames is None else frames
    return to_words(boxes, masks, frames, readings, image_size=(500, 100), manifest=manifest)


OPEN_LATE = read_as("openlate", 0.5, [Part(-0.01, 0.4, read_as("open", 0.9)), Part(0.5, 1.02, read_as("late", 0.81))])


def test_words_found_as_one_are_taken_apart_where_they_meet() -> None:
    manifest = replace(MANIFEST, text_weight=0.5)
    words = parted([[100, 10, 200, 30, 0.64]], [OPEN_LATE], manifest)
    assert [word.text for word in words] == ["open", "late"]
    assert words[0].box == pytest.approx((100, 10, 140, 30), abs=0.01)
    assert words[1].box == pytest.approx((150, 10, 200, 30), abs=0.01)
    assert [word.text_score for word in words] == [0.9, 0.81]
    # Each with the score of what was found, 0.64, and its own reading's: sqrt(0.64 * 0.9), sqrt(0.64 * 0.81).
    assert [word.score for word in words] == pytest.approx([0.7589, 0.72], abs=1e-4)


def test_parts_lie_along_the_text_whichever_way_it_runs() -> None:
    box = [[100, 10, 200, 30, 0.9]]
    frames = upside_down(mask_frames(np.array(box, np.float32)[:, :4], FULL[None], 0.5))
    words = parted(box, [OPEN_LATE], frames=frames)
    assert [(word.text, word.box) for word in words] == [  # type: ignore[comparison-overlap]
        ("open", pytest.approx((160, 10, 200, 30), abs=0.01)),
        ("late", pytest.approx((100, 10, 150, 30), abs=0.01)),
    ]
    assert words[0].polygon[0] == pytest.approx((200, 30), abs=0.01), "upside down it begins at the bottom right"


def test_a_part_that_cannot_be_read_or_is_doubtful_is_treated_like_any_word() -> None:
    reading = read_as("ab", 0.1, [Part(0, 0.4, read_as("a", 0.49)), Part(0.5, 1, read_as("b", 0.9))])
    assert [word.text for word in parted([[0, 0, 100, 20, 0.9]], [reading])] == ["", "b"]
    strict = replace(MANIFEST, text_weight=0.5, word_thr=0.7)
    assert [word.text for word in parted([[0, 0, 100, 20, 0.9]], [reading], strict)] == ["b"]


def test_a_word_stays_whole_where_no_part_of_it_would_be_kept() -> None:
    doubtful = read_as("ab", 0.6, [Part(0, 0.4, read_as("a", 0.2)), Part(0.5, 1, read_as("b", 0.1))])
    strict = replace(MANIFEST, text_weight=0.5, word_thr=0.5)
    assert [word.text for word in parted([[0, 0, 100, 20, 0.9]], [doubtful], strict)] == ["ab"]


def test_a_word_stays_whole_where_a_part_lies_outside_of_it() -> None:
    """The frame is that of a mask of two blobs, of which the word's polygon is the larger one, on the right."""
    mask = np.zeros((28, 28), np.float32)
    mask[:, :6] = mask[:, 16:] = 1
    box = np.array([[100, 10, 240, 30, 0.9]], np.float32)
    frames = np.array([[[100, 10], [140, 0], [0, 20]]], np.float32)
    (word,) = to_words(
        box, mask[None], frames, [OPEN_LATE], image_size=(500, 100), manifest=replace(MANIFEST, text_thr=0)
    )
    assert (word.text, word.box) == ("openlate", pytest.approx((180, 10, 240, 30), abs=0.5))  # type: ignore[comparison-overlap]


def test_a_word_found_alone_and_as_a_part_counts_once_where_another_joins_it() -> None:
    boxes = [[0, 0, 100, 20, 0.9], [0, 0, 160, 20, 0.9], [0, 0, 38, 20, 0.9]]
    three = read_as(
        "openlatebar",
        1.0,
        [Part(0, 0.25, read_as("open")), Part(0.3, 0.62, read_as("late")), Part(0.7, 1, read_as("bar"))],
    )
    words = parted(boxes, [read_as("openlate"), three, read_as("open")])
    assert sorted(word.text for word in words) == ["bar", "late", "open"]


@pytest.mark.parametrize(
    ("right", "texts"),
    [(50, ["open", "late"]), (29, ["open", "late"]), (21, ["open", "late"]), (19, ["xy", "open", "late"])],
    ids=["around it", "three quarters of it", "52 % of it", "48 % of it"],
)
def test_a_part_that_was_found_on_its_own_too_is_one_word(right: int, texts: list[str]) -> None:
    """The part reaches from 0 to 40; the other word begins at 0, too."""
    words = parted([[0, 0, 100, 20, 0.9], [0, 0, right, 20, 0.8]], [OPEN_LATE, read_as(texts[0])])
    assert [word.text for word in words] == texts


def test_what_joins_a_word_and_a_part_is_left_out() -> None:
    boxes = [[0, 0, 100, 20, 0.9], [0, 0, 160, 20, 0.8], [110, 0, 160, 20, 0.9]]
    words = parted(boxes, [OPEN_LATE, read_as("openlatebar"), read_as("bar")])
    assert [word.text for word in words] == ["bar", "open", "late"]


def test_a_page_of_words_costs_no_more_than_its_neighbours_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words are compared with those that they meet: a page of 400, one in ten of them two, has few of these."""
    compared = []

    def shared(first: ArrayLike, second: ArrayLike) -> float:
        compared.append(1)
        return intersection_area(first, second)

    monkeypatch.setattr("text_spotting.postprocess.intersection_area", shared)
    boxes = [[60 * column, 30 * row, 60 * column + 55, 30 * row + 20, 0.9] for row in range(20) for column in range(20)]
    words = words_of(boxes, [FULL] * 400, size=(1300, 700))
    assert (len(words), len(compared)) == (400, 0)
    readings = [OPEN_LATE if number % 10 == 0 else read_as("a") for number in range(400)]
    frames = mask_frames(np.array(boxes, np.float32)[:, :4], np.stack([FULL] * 400), 0.5)
    words = to_words(
        np.array(boxes, np.float32), np.stack([FULL] * 400), frames, readings, image_size=(1300, 700), manifest=MANIFEST
    )
    assert len(words) == 440
    assert len(compared) < 400
