"""What a training set teaches is counted, and said where nothing is left."""

from pathlib import Path

import pytest

from text_spotting.annotations.records import AnnotatedImage
from text_spotting.annotations.training_set import summarise_training_set
from text_spotting.geometry import box_to_polygon
from text_spotting.words import Word


def images(*texts: str, ignored: int = 0) -> list[AnnotatedImage]:
    words = [Word(box_to_polygon((0, 0, 9, 9)), text) for text in texts]
    words += [Word(box_to_polygon((0, 0, 9, 9)), ignore=True)] * ignored
    return [AnnotatedImage(Path("a.jpg"), 100, 100, words)]


def encode(text: str) -> list[int]:
    return [*range(len(text)), 99] if text.isascii() else []


def test_words_are_counted_by_what_they_teach() -> None:
    summary = summarise_training_set(images("open", "four", "toolong", "café", "", ignored=2), encode, 5)
    assert str(summary) == (
        "1 images: 5 words, 2 of them to be read; 1 too long; 1 with characters that the model does not know;"
        " 1 without text; 2 don't care"
    )
    assert summary.warnings() == []


@pytest.mark.parametrize(
    ("set_", "warning"),
    [
        (images(ignored=3), "there is nothing to learn"),
        (images("café", ""), "it will learn to find words, not to read them"),
        (images("open", *[""] * 20), "only 4.8 % of the words"),
    ],
    ids=["don't care alone", "nothing to read", "hardly anything to read"],
)
def test_too_little_is_warned_of(set_: list[AnnotatedImage], warning: str) -> None:
    (summary,) = summarise_training_set(set_, encode, 28).warnings()
    assert warning in summary
