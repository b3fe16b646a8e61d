"""Which images are left out of training, and which photo a word crop came from."""

from pathlib import Path

import numpy as np
import pytest

from text_spotting.annotations.held_back import crop_owners, held_back, split_crops, split_held_back
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError
from text_spotting.words import Word

QUAD = np.array([[0, 0], [9, 0], [9, 5], [0, 5]], np.float32)


def photo(name: str, *texts: str) -> AnnotatedImage:
    words = [Word(QUAD, text, ignore=text == "###") for text in texts]
    return AnnotatedImage(Path("photos") / name, 20, 10, words)


def test_every_tenth_name_in_plain_order_is_held_back() -> None:
    names = [f"img_{number}.jpg" for number in range(1, 26)]
    # img_1 and img_10 to img_19, img_2 and img_20 to img_25, img_3, img_4: places 9 and 19 are img_18 and img_4.
    assert held_back(names) == {"img_18.jpg", "img_4.jpg"}


def test_the_order_in_which_names_are_given_does_not_matter() -> None:
    names = [f"img_{number}.jpg" for number in range(100)]
    assert held_back(reversed(names)) == held_back(names)
    assert len(held_back(names)) == 10


def test_a_name_given_twice_counts_once() -> None:
    names = [f"{letter}.jpg" for letter in "abcdefghij"]
    assert held_back([*names, "a.jpg", "b.jpg"]) == {"j.jpg"}


def test_of_fewer_than_ten_names_none_is_held_back() -> None:
    assert held_back(f"{number}.jpg" for number in range(9)) == frozenset()


def test_both_parts_of_a_split_keep_the_given_order_and_miss_nothing() -> None:
    photos = [photo(f"{number:02d}.jpg") for number in reversed(range(30))]
    train, apart = split_held_back(photos)
    assert [one.path.name for one in apart] == ["29.jpg", "19.jpg", "09.jpg"]
    assert [one for one in photos if one not in apart] == train


PHOTOS = [photo("img_1.jpg", "one", "###", "two"), photo("img_2.jpg", "###"), photo("img_3.jpg", "three")]


def test_word_crops_are_the_legible_words_of_the_photos_one_after_the_other() -> None:
    crops = [photo(f"word_{number}.png", text) for number, text in enumerate(("one", "two", "three"))]
    assert crop_owners(crops, PHOTOS) == ["img_1.jpg", "img_1.jpg", "img_3.jpg"]


def test_crops_are_held_back_with_their_photos() -> None:
    photos = [photo(f"img_{number:02d}.jpg", f"a{number}", f"b{number}") for number in range(10)]
    texts = [f"{letter}{number}" for number in range(10) for letter in "ab"]
    train, apart = split_crops([photo(f"{text}.png", text) for text in texts], photos)
    assert [crop.words[0].text for crop in apart] == ["a9", "b9"]
    assert len(train) == 18


def test_crops_of_other_photos_are_refused() -> None:
    with pytest.raises(UserError, match="2 word crops do not say what the 3 legible words of the photos do"):
        crop_owners([photo("word_1.png", "one"), photo("word_2.png", "three")], PHOTOS)
