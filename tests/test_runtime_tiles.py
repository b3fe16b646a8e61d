"""Large images in tiles: where they lie, and that each word is found once."""

import cv2
import numpy as np
import pytest

from text_spotting.runtime.tiles import OVERLAP, TiledSpotter, scales, tiles
from text_spotting.words import FloatArray, Image, Word

TILE = (128, 72)


def box(x: int, y: int, width: int, height: int) -> FloatArray:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)


def blobs(image: Image) -> list[Word]:
    """A spotter that sees white blobs on a view of 128x72, and none that is less than 4 pixels high there."""
    factor = min(TILE[0] / image.shape[1], TILE[1] / image.shape[0])
    contours, _ = cv2.findContours((image[..., 0] > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    found = [cv2.boundingRect(contour) for contour in contours]
    return [Word(box(*one), f"{one[2]}x{one[3]}", 0.9) for one in found if one[3] * factor >= 4]


def page(*places: tuple[int, int, int, int], size: tuple[int, int] = (640, 480)) -> Image:
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for x, y, width, height in places:
        image[y : y + height, x : x + width] = 255
    return image


@pytest.mark.parametrize("size", [(640, 480), (129, 72), (100, 50), (1000, 60)])
def test_tiles_cover_the_image_and_overlap(size: tuple[int, int]) -> None:
    found = tiles(size, TILE)
    seen = np.zeros(size[::-1], int)
    for x1, y1, x2, y2 in found:
        seen[y1:y2, x1:x2] += 1
        assert (x2 - x1, y2 - y1) == (min(TILE[0], size[0]), min(TILE[1], size[1]))
    assert seen.min() >= 1
    starts = sorted({x1 for x1, *_ in found})
    assert all(step <= TILE[0] * (1 - OVERLAP) + 1 for step in np.diff(starts))


def test_a_word_of_a_quarter_of_a_tile_is_whole_in_one() -> None:
    assert [x1 for x1, *_ in tiles((224, 72), TILE)] == [0, 96], "32 of 128 columns in both"
    assert [x1 for x1, *_ in tiles((225, 72), TILE)] == [0, 48, 97], "two would share 31"


@pytest.mark.parametrize(("start", "count"), [(45, 1), (55, 2)], ids=["55 of 100 columns shared", "45 shared"])
def test_words_that_share_more_than_half_of_the_smaller_are_one(start: int, count: int) -> None:
    words = [Word(box(0, 0, 100, 20), "one", 0.9), Word(box(start, 0, 100, 20), "other", 0.8)]
    assert len(TiledSpotter(lambda image: words, TILE)(page(size=TILE))) == count


def test_scales_go_down_to_where_the_whole_shows_as_much() -> None:
    assert scales((640, 480), TILE) == [1.0, 0.5, 0.25]  # 6.7, 3.3 and 1.7 times as high as the view, then 0.8
    assert scales((150, 80), TILE) == []


@pytest.mark.slow
def test_small_words_are_found_in_tiles_and_large_ones_in_the_whole() -> None:
    small = [(x, y, 30, 6) for x in range(20, 600, 45) for y in range(10, 470, 20)]
    image = page(*small)
    assert blobs(image) == [], "too small on the whole image"
    found = TiledSpotter(blobs, TILE)(image)
    assert sorted(tuple(map(int, word.box[:2])) for word in found) == sorted((x, y) for x, y, *_ in small)
    large = page((10, 10, 600, 300))
    assert [word.text for word in TiledSpotter(blobs, TILE)(large)] == ["600x300"]


def test_a_word_across_tiles_is_one_word_at_the_scale_that_holds_it() -> None:
    (word,) = TiledSpotter(blobs, TILE)(page((60, 200, 220, 16)))
    assert word.box == pytest.approx((60, 200, 280, 216), abs=2)


def test_an_ordinary_image_is_read_once() -> None:
    views = []
    TiledSpotter(lambda image: views.append(image.shape) or [], TILE)(page(size=(128, 72)))  # type: ignore[func-returns-value]
    assert views == [(72, 128, 3)]
