"""Training samples: words stay on their pixels through every transform, and epochs can be resumed."""

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from text_spotting.alphabet import MAX_LENGTH, START, STOP
from text_spotting.annotations.dataset_file import write_dataset
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.data.dataset import PhotoSource, SpottingDataset
from text_spotting.data.packing import pack, pad_polygons, pad_texts
from text_spotting.data.sampling import EpochSampler
from text_spotting.data.transforms import Photometric, RandomView, Sample, Stretch, warp
from text_spotting.data.word_crops import words_of
from text_spotting.errors import UserError
from text_spotting.geometry import box_to_polygon
from text_spotting.words import Word


def image_of(*boxes: tuple[float, float, float, float], size: tuple[int, int] = (200, 100)) -> Sample:
    """White words on black, so that pixels tell where words are."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for box in boxes:
        cv2.fillPoly(image, [box_to_polygon(box).astype(np.int32)], (255, 255, 255))
    return Sample(image, [Word(box_to_polygon(box), "word") for box in boxes])


def overlap(sample: Sample) -> float:
    """How well white pixels and the words' polygons agree, as intersection over union."""
    drawn = np.zeros(sample.image.shape[:2], np.uint8)
    for word in sample.words:
        cv2.fillPoly(drawn, [np.rint(word.polygon).astype(np.int32)], 255)
    seen, labelled = sample.image[..., 0] > 127, drawn > 0
    return float((seen & labelled).sum() / (seen | labelled).sum())


@pytest.mark.parametrize("seed", range(12))
def test_words_stay_on_their_pixels_in_any_random_view(seed: int) -> None:
    view = RandomView(size=(320, 240), fit=(400, 400), max_angle=20, quarter_turns=0.3, on_word=1.0)
    seen = view(image_of((60, 30, 150, 60)), np.random.default_rng(seed))
    assert seen.image.shape == (240, 320, 3)
    assert overlap(seen) > 0.9


def test_tilted_views_lean_up_to_60_degrees_either_way_others_stay_about_level() -> None:
    def leans(tilts: float) -> list[float]:
        view = RandomView((320, 240), (400, 400), aspect=1.0, quarter_turns=0.0, on_word=1.0, tilts=tilts)
        words = [view(image_of((60, 30, 150, 60)), np.random.default_rng(seed)).words for seed in range(40)]
        edges = [word.polygon[1] - word.polygon[0] for (word,) in words]
        return [math.degrees(math.atan2(y, x)) for x, y in edges]

    tilted, level = leans(1.0), leans(0.0)
    assert -60.1 < min(tilted) < -40 < 40 < max(tilted) < 60.1
    assert max(abs(lean) for lean in level) < 25, "five times the standard deviation"


def test_a_cut_word_becomes_dont_care_and_one_outside_is_dropped() -> None:
    shift = np.array([[1.0, 0.0, -50.0], [0.0, 1.0, 0.0]])
    moved = warp(image_of((10, 10, 40, 20), (40, 10, 60, 20), (100, 10, 140, 20)), shift, (200, 100))
    assert [word.ignore for word in moved.words] == [True, False]
    assert moved.words[1].polygon.tolist() == [[50, 10], [90, 10], [90, 20], [50, 20]]


def test_photometric_changes_pixels_and_nothing_else() -> None:
    sample = image_of((60, 30, 150, 60))
    changed = Photometric(p=1.0)(sample, np.random.default_rng(1))
    assert changed.words is sample.words
    assert changed.image.shape == sample.image.shape
    assert changed.image.dtype == np.uint8
    assert not np.array_equal(changed.image, sample.image)


def test_packing_sorts_words_into_targets_and_dont_care() -> None:
    quad = box_to_polygon
    words = [
        Word(quad((10, 10, 60, 30)), "Bus7"),
        Word(quad((10, 40, 60, 60)), "", ignore=True),
        Word(quad((70, 10, 73, 30)), "thin"),
        Word(quad((80, 10, 85, 30)), "five"),
        Word(quad((100, 10, 150, 30)), ""),
    ]
    packed = pack(Sample(np.zeros((100, 200, 3), np.uint8), words))
    truth = packed["data_samples"].gt_instances
    assert truth.bboxes.tolist() == [[10, 10, 60, 30], [80, 10, 85, 30], [100, 10, 150, 30]], "4 pixels are enough"
    assert truth.texts[0].tolist() == [3, 22, 20, 35, STOP, *[START] * (MAX_LENGTH - 5)]
    assert (truth.texts[2] == START).all()
    assert packed["data_samples"].ignored_instances.bboxes.tolist() == [[10, 40, 60, 60], [70, 10, 73, 30]]
    assert packed["inputs"].shape == (3, 100, 200)


def test_texts_that_cannot_be_emitted_have_no_target() -> None:
    targets = pad_texts(["a" * (MAX_LENGTH - 1), "a" * MAX_LENGTH, "R-CNN", "very nice"])
    assert (targets != START).sum(dim=1).tolist() == [MAX_LENGTH, 0, 0, 0]


def test_short_polygons_repeat_their_last_corner() -> None:
    triangle, quad = Word(np.array([[0, 0], [4, 0], [4, 4]])), Word(box_to_polygon((0, 0, 4, 4)))
    assert pad_polygons([triangle, quad])[0].tolist() == [[0, 0], [4, 0], [4, 4], [4, 4]]


class Ten:
    def __len__(self) -> int:
        return 10


def test_an_epoch_shows_every_sample_once_and_the_next_one_in_another_order() -> None:
    sampler = EpochSampler(Ten(), seed=3)  # type: ignore[arg-type]
    first = list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    assert sorted(first) == list(range(10))
    assert sorted(second) == list(range(10, 20))
    assert [index - 10 for index in second] != first


def test_a_resumed_epoch_leaves_out_what_was_seen_but_only_once() -> None:
    sampler = EpochSampler(Ten(), seed=3)  # type: ignore[arg-type]
    whole = list(sampler)
    sampler.skip_samples(4)
    assert list(sampler) == whole[4:]
    assert list(sampler) == whole


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three images, the middle one broken behind its header."""
    sample = image_of((60, 30, 150, 60))
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"{index}.png"), sample.image)
    cut_off(tmp_path / "1.png")
    images = [AnnotatedImage(tmp_path / f"{index}.png", 200, 100, sample.words) for index in range(3)]
    write_dataset(tmp_path / "annotation.json", images)
    return tmp_path


def test_a_broken_image_is_left_out_and_told(photos: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = PhotoSource(str(photos / "annotation.json"), str(photos))
    for _ in range(2):
        assert source.draw(1, np.random.default_rng(0)).image.shape == (100, 200, 3)
    (record,) = caplog.records
    assert record.message.startswith(f"skipped broken image: {photos / '1.png'} is cut off")
    assert record.message.endswith("(1 so far)")


def test_an_image_that_is_none_is_left_out_when_the_set_is_read(photos: Path, caplog: pytest.LogCaptureFixture) -> None:
    (photos / "1.png").write_bytes(b"no image")
    assert len(PhotoSource(str(photos / "annotation.json"), str(photos))) == 2
    assert "1  image cannot be read: skipped with its words" in caplog.text


def test_only_broken_images_are_an_error(photos: Path) -> None:
    for index in range(3):
        cut_off(photos / f"{index}.png")
    with pytest.raises(UserError, match="none of the 3 training images can be read"):
        PhotoSource(str(photos / "annotation.json"), str(photos)).draw(0, np.random.default_rng(0))


def dataset(photos: Path, **options: Any) -> SpottingDataset:
    source = {"type": "PhotoSource", "ann_files": str(photos / "annotation.json"), "data_roots": str(photos)}
    view = {"type": "RandomView", "size": (96, 64), "fit": (192, 128)}
    return SpottingDataset([source], [view], **options)


def test_a_sample_depends_on_its_index_alone(photos: Path) -> None:
    data = dataset(photos, seed=5)
    again, other, next_epoch = (data[index]["inputs"] for index in (0, 2, 3))
    assert (data[0]["inputs"] == again).all()
    assert (again != other).any()
    assert (again != next_epoch).any()


def test_repeating_makes_an_epoch_longer(photos: Path) -> None:
    assert len(dataset(photos, repeat=3)) == 9, "that one of them is cut off shows when it is drawn"


def test_data_sets_of_a_mixture_need_a_weight_each(photos: Path) -> None:
    assert dataset(photos, weights=[2.0]).shares.tolist() == [1.0]
    with pytest.raises(UserError, match="weights: 2 for 1 data sets of sources; give one for each"):
        dataset(photos, weights=[0.5, 0.5])


def test_stretching_gives_words_the_shape_they_had() -> None:
    stretched = Stretch((300, 100))(image_of((60, 30, 150, 60)), np.random.default_rng(0))
    assert stretched.image.shape == (100, 300, 3)
    assert stretched.words[0].box == (90, 30, 225, 60)


def test_words_of_photos_are_kept_with_context_and_without_marks(tmp_path: Path) -> None:
    image = np.zeros((200, 400, 3), np.uint8)
    image[100:120, 50:150] = 255
    cv2.imwrite(str(tmp_path / "photo.png"), image)
    polygon = np.array([[50, 100], [150, 100], [150, 120], [50, 120]], np.float32)
    upside_down = np.roll(polygon, 2, axis=0)
    words = [Word(polygon, '"Open!"'), Word(upside_down, "down"), Word(polygon, "a b"), Word(polygon, "x", ignore=True)]
    ((crop, word),) = words_of(AnnotatedImage(tmp_path / "photo.png", 400, 200, words))
    assert word.text == "Open"
    assert crop.shape == (41, 121, 3), "half of its height of 20 on each side"
    assert word.box == (10, 10, 110, 30)


def test_large_words_are_kept_no_larger_than_they_are_read(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), np.zeros((300, 900, 3), np.uint8))
    word = Word(np.array([[100, 50], [800, 50], [800, 250], [100, 250]], np.float32), "large")
    ((_, kept),) = words_of(AnnotatedImage(tmp_path / "photo.png", 900, 300, [word]))
    left, top, right, bottom = kept.box
    assert (right - left, bottom - top) == pytest.approx((224, 64), abs=0.5)
