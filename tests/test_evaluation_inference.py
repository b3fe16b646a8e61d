"""Images are spotted in order whatever the threads do, and what cannot be read is named."""

import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from text_spotting.errors import UserError
from text_spotting.evaluation.inference import spot_images
from text_spotting.geometry import box_to_polygon
from text_spotting.words import Image, Word


def slow_spotter(image: Image) -> list[Word]:
    """Takes longer the darker the image is, and reads its grey value."""
    grey = int(image[0, 0, 0])
    time.sleep((40 - grey) / 1000)
    return [Word(box_to_polygon((0, 0, 2, 2)), str(grey))]


@pytest.mark.parametrize(("readers", "spotters"), [(1, 1), (2, 1), (3, 3), (9, 2)])
def test_words_come_in_the_order_of_the_images(tmp_path: Path, readers: int, spotters: int) -> None:
    paths = [tmp_path / f"{grey}.png" for grey in (0, 30, 10, 20, 5)]
    for path in paths:
        cv2.imwrite(str(path), np.full((2, 3, 3), int(path.stem), np.uint8))
    found = spot_images(slow_spotter, paths, readers=readers, spotters=spotters)
    assert [words[0].text for words in found] == ["0", "30", "10", "20", "5"]


def test_no_images_give_no_words() -> None:
    assert list(spot_images(slow_spotter, [])) == []


@pytest.mark.parametrize("content", [b"", b"not an image"], ids=["empty", "text"])
def test_a_broken_image_stops_the_evaluation_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.jpg").write_bytes(content)
    with pytest.raises(UserError, match=r"bad\.jpg is not an image or is broken"):
        list(spot_images(slow_spotter, [tmp_path / "bad.jpg"]))
