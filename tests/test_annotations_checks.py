"""What is repaired, marked or dropped before a word is believed."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from text_spotting.annotations.checks import Rejection, agreed_size, checked_word, find_image, image_size
from text_spotting.annotations.problems import Problems
from text_spotting.geometry import area

SIZE = (100, 50)


def check(points: list[float], **known: Any) -> tuple[Any, list[str]]:
    problems = Problems()
    return checked_word(points, SIZE, "gt.txt:1", problems, **known), list(problems.found)


def test_a_sound_word_passes_unchanged() -> None:
    word, found = check([10, 10, 30, 10, 30, 20, 10, 20], text="Bus")
    assert word.text == "Bus" and not word.ignore and found == []


def test_three_hashes_and_illegible_words_are_dont_care() -> None:
    hashes, _ = check([10, 10, 30, 10, 30, 20, 10, 20], text="###")
    assert (hashes.text, hashes.ignore) == ("", True)
    illegible, _ = check([10, 10, 30, 10, 30, 20, 10, 20], text="guess", legible=False)
    assert (illegible.text, illegible.ignore) == ("guess", True)


def test_a_quad_given_row_by_row_is_uncrossed_and_keeps_its_first_corner() -> None:
    word, found = check([10, 10, 30, 10, 10, 20, 30, 20])
    assert area(word.polygon) == 200 and word.polygon[0].tolist() == [10, 10]
    assert found == ["polygon crosses itself: repaired"]


def test_of_a_crossed_polygon_the_larger_piece_stays() -> None:
    # a 20 x 20 square with a small triangular flag that hangs on a crossing at (30, 30)
    word, found = check([10, 10, 30, 10, 30, 34, 34, 30, 10, 30])
    assert area(word.polygon) == pytest.approx(400)
    assert found == ["polygon crosses itself: repaired"]


@pytest.mark.parametrize(
    ("points", "kind"),
    [
        ([1, 1, 2, 2], "not a polygon of 3 or more finite points: dropped"),
        ([1, 1, 2, 2, 3, 3, 4], "not a polygon of 3 or more finite points: dropped"),
        ([1, 1, 5, float("nan"), 5, 5], "not a polygon of 3 or more finite points: dropped"),
        ([1, 1, 5, 5, 9, 9], "polygon without area: dropped"),
        ([4, 4, 4, 4, 4, 4, 4, 4], "polygon without area: dropped"),
        ([200, 10, 220, 10, 220, 20, 200, 20], "outside the image: dropped"),
    ],
)
def test_what_has_no_place_in_the_image_is_dropped(points: list[float], kind: str) -> None:
    why = Rejection.OUTSIDE if kind.startswith("outside") else Rejection.UNUSABLE
    assert check(points) == (why, [kind])


def test_a_word_that_leaves_the_image_keeps_its_shape() -> None:
    word, found = check([90, 10, 108, 10, 108, 20, 90, 20])  # 10 of 18 pixels can be seen
    assert word.polygon.max() == 108 and not word.ignore
    assert found == ["reaches outside the image: kept as it is"]


def test_a_word_that_is_mostly_outside_is_dont_care() -> None:
    word, found = check([90, 10, 130, 10, 130, 20, 90, 20])
    assert word.ignore and found == ["more than half outside the image: marked don't care"]


def test_a_rounding_overhang_is_no_problem() -> None:
    assert check([90, 10, 101.5, 10, 101.5, 20, 90, 20])[1] == []


def test_the_size_is_that_of_the_turned_image(tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(path, exif=exif)
    problems = Problems()
    loaded = cv2.imread(str(path))
    assert loaded is not None and image_size(path, "x", problems) == (20, 40) == loaded.shape[1::-1]
    assert len(problems) == 1


def test_missing_and_broken_images_are_reported(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    problems = Problems()
    assert image_size(tmp_path / "gone.jpg", "gt:1", problems) is None
    assert image_size(tmp_path / "broken.jpg", "gt:2", problems) is None
    assert [kind.split(":")[0] for kind in problems.found] == ["image missing", "image cannot be read"]


def test_an_image_of_another_size_than_its_labels_state_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((20, 40, 3), np.uint8))
    assert agreed_size(path, ("40", "20"), "x", Problems()) == (40, 20)
    assert agreed_size(path, (None, None), "x", Problems()) == (40, 20)
    assert agreed_size(path, (80, 40), "x", Problems()) is None


def test_an_image_is_found_whatever_its_suffix(tmp_path: Path) -> None:
    (tmp_path / "img_1.PNG").touch()
    problems = Problems()
    assert find_image(tmp_path, "img_1", "gt:1", problems).name == "img_1.PNG"
    assert find_image(tmp_path, "img_2", "gt:2", problems).name == "img_2.jpg"
    assert len(problems) == 0
    (tmp_path / "img_1.jpg").touch()
    assert find_image(tmp_path, "img_1", "gt:1", problems).name == "img_1.jpg"
    assert problems.found == {"several images of that name: labels taken for the first": ["gt:1: img_1.jpg, img_1.PNG"]}
