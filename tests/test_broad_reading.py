"""Words cut out in true and found frames, readers on their own, and spotters on moved images."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest

from text_spotting.decoding import Reading
from text_spotting.evaluation.broad.frames import cut, cut_native, found_frame, true_frame, whole_frame
from text_spotting.evaluation.broad.positions import POSITIONS, ShiftedSpotter
from text_spotting.evaluation.broad.readers import AttentionReader, BothReader, CtcReader
from text_spotting.evaluation.broad.reading import FramedImage, found_frames, read_all
from text_spotting.frames import widen
from text_spotting.geometry import box_to_polygon
from text_spotting.manifest import Manifest
from text_spotting.words import FloatArray, Image, Word

MANIFEST = Manifest((8, 4), False, (10, 20, 30), (1, 2, 4), True, True, "d", "e", "c")
LYING = box_to_polygon((10, 20, 110, 45))


def scored(text: str, score: float) -> Reading:
    return Reading(text, (), score, np.zeros((0, 4), np.float32))


def test_a_frame_has_four_hundredths_of_its_height_around_it() -> None:
    assert found_frame(LYING) == pytest.approx(np.array([[9, 19], [102, 0], [0, 27]]), abs=1e-3)


@pytest.mark.parametrize("turns", range(4))
def test_a_true_frame_is_read_from_the_first_corner_to_the_second(turns: int) -> None:
    polygon = np.roll(LYING, -turns, axis=0)
    corner, along, across = widen(true_frame(polygon)[None], -0.08 / 2)[0]
    assert along @ (polygon[1] - polygon[0]) > 0.9 * np.linalg.norm(along) * np.linalg.norm(polygon[1] - polygon[0])
    assert along[0] * across[1] - along[1] * across[0] > 0  # not mirrored
    assert np.linalg.norm(corner - polygon[0]) < 2.5


def test_a_word_upside_down_is_cut_out_the_right_way_up() -> None:
    image = np.zeros((60, 120, 3), np.uint8)
    image[20:45, 10:60] = 255  # the word's left half is white where it is read upside down: its right half
    upside_down = np.roll(LYING, -2, axis=0)
    word = cut(image, true_frame(upside_down), (32, 96))
    assert word[16, 10].tolist() == [0, 0, 0]
    assert word[16, 85].tolist() == [255, 255, 255]


def test_a_large_word_keeps_the_mean_of_its_stripes() -> None:
    stripes = np.zeros((640, 1920, 3), np.uint8)
    stripes[:, ::4] = 240  # one column in four: skipped pixels would give 0 or 240
    word = cut(stripes, whole_frame(stripes), (32, 96))
    assert word.min() > 45
    assert word.max() < 75


def test_a_whole_image_in_its_own_resolution_comes_out_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 255, (20, 50, 3), np.uint8)
    assert np.array_equal(cut_native(image, whole_frame(image)), image)


def test_a_frame_beyond_the_image_shows_its_edge() -> None:
    image = np.full((20, 50, 3), 90, np.uint8)
    beyond = np.array([[-30, -30], [200, 0], [0, 80]], np.float32)
    assert np.unique(cut(image, beyond, (32, 96))).tolist() == [90]


def test_the_attention_reader_gives_its_network_normalised_crops_in_the_networks_order() -> None:
    seen: list[FloatArray] = []

    def read(features: FloatArray) -> list[Reading]:
        seen.append(features)
        return [scored("ab", 0.5)] * len(features)

    image = np.full((32, 96, 3), (70, 40, 11), np.uint8)  # blue, green, red
    reader = AttentionReader(read, (32, 96), MANIFEST)
    assert reader.read([reader.cut(image, whole_frame(image))] * 65) == ["ab"] * 65
    assert [features.shape for features in seen] == [(64, 3, 32, 96), (1, 3, 32, 96)]
    assert seen[0][0, :, 5, 5].tolist() == [1, 10, 10]  # (11 - 10) / 1, (40 - 20) / 2, (70 - 30) / 4


def test_a_ctc_reader_reads_words_of_one_width_together_and_keeps_their_order() -> None:
    shapes: list[tuple[int, ...]] = []

    def brightness(crops: Image) -> FloatArray:
        shapes.append(crops.shape)
        classes = (crops[:, 0, 0, 0] // 100).astype(int)
        return np.stack([np.eye(4, dtype=np.float32)[[1 + label] * (crops.shape[2] // 4)] for label in classes])

    reader = CtcReader(brightness, replace(MANIFEST, symbols="  ab"))
    frames = [whole_frame(np.zeros((24, width, 3))) for width in (72, 144, 72)]
    images = [np.full((24, 150, 3), value, np.uint8) for value in (100, 200, 210)]
    cuts = [reader.cut(image, frame) for image, frame in zip(images, frames, strict=True)]
    assert [one.shape for one in cuts] == [(32, 96, 3), (32, 192, 3), (32, 96, 3)]
    assert reader.read(cuts) == ["a", "b", "b"]
    assert shapes == [(2, 32, 96, 3), (1, 32, 192, 3)]


def test_both_readers_read_as_in_the_spotter_by_ctc_first_and_by_attention_what_it_doubts() -> None:
    image = np.zeros((32, 160, 3), np.uint8)
    ctc = CtcReader(lambda crops: crops, MANIFEST)
    by_ctc = [scored("sure", 0.85), scored("cat", 0.5), scored("dog", 0.5), scored("", 0.05)]
    ctc.readings = lambda words: list(by_ctc)  # type: ignore[method-assign]
    asked: list[int] = []

    def attend(features: FloatArray) -> list[Reading]:
        asked.append(len(features))
        return [scored("cot", 0.6), scored("dig", 0.4)]

    reader = BothReader(ctc, AttentionReader(attend, (32, 96), MANIFEST))
    wide, squeezed = reader.cut(image, whole_frame(image))
    assert (wide.shape, squeezed.shape) == ((32, 160, 3), (32, 96, 3))
    assert reader.read([(wide, squeezed)] * 4) == ["sure", "cot", "dog", ""]
    assert asked == [2], "neither what is sure nor what is hopeless"


@pytest.mark.parametrize(("height", "read_at"), [(10, 80), (24, 112), (30, 128), (36, 160), (90, 160)])
def test_a_ctc_crop_is_as_wide_as_the_spotters(height: int, read_at: int) -> None:
    """3.5 times as long as high, 112 pixels; 0.75, 1, 1.25 (140) and 1.5 (168) times that."""
    reader = CtcReader(lambda crops: crops, replace(MANIFEST, read_stretch=1.5))
    image = np.zeros((height, 7 * height // 2, 3), np.uint8)
    assert reader.cut(image, whole_frame(image)).shape == (32, read_at, 3)


class Lengths:
    """Reads how many words it was given together."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def cut(self, image: Image, frame: FloatArray) -> Image:
        return image

    def read(self, words: Sequence[Image]) -> list[str]:
        self.batches.append(len(words))
        return [str(word[0, 0, 0]) for word in words]


def test_words_of_many_images_are_read_together_and_stay_with_their_images() -> None:
    reader, frame = Lengths(), np.zeros((3, 2), np.float32)
    images = [np.full((1, 1, 3), number, np.uint8) for number in range(3)]
    framed = [
        FramedImage(lambda one=one: one, [(str(index), f"word {index}", frame)] * 2)  # type: ignore[misc]
        for index, one in enumerate(images)
    ]
    steps = list(read_all(reader, framed, 3))
    readings = [reading for step in steps for reading in step]
    assert reader.batches == [6]
    assert [len(step) for step in steps] == [0, 0, 6]
    assert readings == [(str(index), f"word {index}", str(index)) for index in (0, 0, 1, 1, 2, 2)]


def test_an_image_without_words_is_not_even_opened() -> None:
    def never() -> Image:
        raise AssertionError

    assert [reading for step in read_all(Lengths(), [FramedImage(never, [])], 1) for reading in step] == []


def test_words_that_were_missed_or_have_no_text_have_no_found_frame() -> None:
    truth = [Word(LYING, "found"), Word(LYING + 200, "missed"), Word(LYING + 400)]
    found = [Word(LYING + 1, "fund"), Word(LYING + 400, "unknown")]
    ((image, text, frame),) = found_frames(truth, found, "photo")
    assert (image, text) == ("photo", "found")
    assert frame[0] == pytest.approx([10, 20], abs=1e-3)


def test_nine_positions_begin_with_the_image_as_it_is_and_move_it_by_up_to_five_pixels() -> None:
    assert len(set(POSITIONS)) == 9
    assert POSITIONS[0] == (0, 0)
    assert {place for position in POSITIONS for place in position} == set(range(6))


def test_a_moved_image_is_whole_and_its_words_are_told_where_they_truly_lie() -> None:
    corner = np.zeros((50, 120, 3), np.uint8)
    cv2.rectangle(corner, (100, 30), (119, 49), (255, 255, 255), -1)  # in the last corner

    def spotter(image: Image) -> list[Word]:
        rows, columns = np.nonzero(image[:, :, 0] == 255)
        return [Word(box_to_polygon((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)), "corner")]

    (word,) = ShiftedSpotter(spotter, 3, 5)(corner)
    assert word.box == (100.0, 30.0, 120.0, 50.0)
    seen: list[tuple[int, ...]] = []
    ShiftedSpotter(lambda image: seen.append(image.shape) or [], 3, 5)(corner)  # type: ignore[func-returns-value]
    assert seen == [(55, 123, 3)]
