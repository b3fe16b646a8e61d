"""Words of a video go where what is in them goes."""

import cv2
import numpy as np
import pytest
from numpy.typing import ArrayLike

from text_spotting.geometry import box_to_polygon
from text_spotting.runtime.flow import move_words, view_of
from text_spotting.words import Image, Word


def scene(size: tuple[int, int] = (320, 240)) -> Image:
    """Two printed words on a grey wall, and nothing else."""
    image = np.full((size[1], size[0], 3), 160, np.uint8)
    for text, place in (("STOP", (40, 80)), ("exit", (180, 180))):
        cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20, 20, 20), 3, cv2.LINE_AA)
    return image


STOP = Word(box_to_polygon([38, 50, 138, 86]), "STOP", 0.9)
EXIT = Word(box_to_polygon([178, 150, 258, 186]), "exit", 0.8)


def warped(image: Image, matrix: ArrayLike) -> Image:
    size = (image.shape[1], image.shape[0])
    return cv2.warpAffine(image, np.array(matrix, float), size, borderMode=cv2.BORDER_REPLICATE)


def test_words_move_with_what_is_written_and_keep_all_else() -> None:
    before, after = scene(), warped(scene(), [[1, 0, 7], [0, 1, -4]])
    moved = move_words([STOP, EXIT], view_of(before), view_of(after))
    for word, start in zip(moved, (STOP, EXIT), strict=True):
        assert word is not None
        assert word.polygon == pytest.approx(start.polygon + np.array([7, -4]), abs=0.5)
        assert (word.text, word.score) == (start.text, start.score)


def test_a_word_turns_and_grows_as_the_camera_does() -> None:
    matrix = cv2.getRotationMatrix2D((160, 120), 6, 1.1)
    (moved,) = move_words([STOP], view_of(scene()), view_of(warped(scene(), matrix.tolist())))
    assert moved is not None
    assert moved.polygon == pytest.approx(STOP.polygon @ matrix[:, :2].T + matrix[:, 2], abs=1.5)


def test_large_frames_are_followed_in_their_own_pixels() -> None:
    large = cv2.resize(scene(), (1280, 960), interpolation=cv2.INTER_CUBIC)
    word = Word(STOP.polygon * 4, "STOP")
    (moved,) = move_words([word], view_of(large), view_of(warped(large, [[1, 0, 20], [0, 1, 12]])))
    assert moved is not None
    assert moved.polygon == pytest.approx(word.polygon + np.array([20, 12]), abs=1.5)
    assert view_of(large).pixels.shape == (480, 640)


def test_a_covered_word_goes_with_the_others() -> None:
    after = warped(scene(), [[1, 0, 6], [0, 1, 3]])
    after[40:110, 30:160] = np.random.default_rng(0).integers(0, 255, (70, 130, 3))  # something before STOP
    moved = move_words([STOP, EXIT], view_of(scene()), view_of(after))
    assert moved[0] is not None
    assert moved[0].polygon == pytest.approx(STOP.polygon + np.array([6, 3]), abs=1)


def test_where_nothing_can_be_followed_words_stay() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (2, 240, 320, 3), np.uint8)
    (moved,) = move_words([STOP], view_of(noise[0]), view_of(noise[1]))
    assert moved is not None
    assert (moved.polygon == STOP.polygon).all()


def test_a_word_that_leaves_the_frame_is_gone_once_its_centre_is_outside() -> None:
    views = [view_of(warped(scene(), [[1, 0, -shift], [0, 1, 0]])) for shift in (0, 60, 100)]
    halfway = [word for word in move_words([STOP, EXIT], views[0], views[1]) if word is not None]
    assert [word.text for word in halfway] == ["STOP", "exit"], "28 pixels of the one are left"
    stop, still_there = move_words(halfway, views[1], views[2])
    assert stop is None
    assert still_there is not None
    assert still_there.polygon == pytest.approx(EXIT.polygon - np.array([100, 0]), abs=1)


@pytest.mark.parametrize("other", [(640, 480), (1280, 960)], ids=["another view", "the same view of more pixels"])
def test_frames_of_another_size_leave_words_where_they_are(other: tuple[int, int]) -> None:
    before = cv2.resize(scene(), (2560, 1920)) if other == (1280, 960) else scene()
    after = cv2.resize(scene(), other)
    assert move_words([STOP], view_of(before), view_of(after)) == [STOP]


def test_no_words_stay_none() -> None:
    assert move_words([], view_of(scene()), view_of(scene())) == []
