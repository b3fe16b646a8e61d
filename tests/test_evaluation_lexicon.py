"""Lexicons: the nearest word, what is left alone, what is dropped, and how files become lexicons."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from text_spotting.errors import UserError
from text_spotting.evaluation.lexicon import Kind, Lexicon, Vocabulary, edit_distances, metric_title, read_lexicon
from text_spotting.geometry import box_to_polygon
from text_spotting.words import Word


def codes(*words: str) -> NDArray[np.uint32]:
    return np.array([[ord(letter) for letter in word] for word in words], np.uint32)


def moved(text: str, lines: list[str], kind: Kind) -> list[str]:
    words = [Word(box_to_polygon((0, 0, 9, 9)), text)]
    return [word.text for word in Lexicon(kind, [Vocabulary(lines)]).apply([words])[0]]


@pytest.mark.parametrize(
    ("word", "other", "distance"),
    [
        ("kitten", "sitting", 3),
        ("abc", "abc", 0),
        ("abc", "acb", 2),
        ("abc", "bc", 1),
        ("bc", "abc", 1),
        ("", "abc", 3),
        ("intention", "execution", 5),
    ],
)
def test_edit_distances_known_from_textbooks(word: str, other: str, distance: int) -> None:
    assert edit_distances(word, codes(other)).tolist() == [distance]


def test_many_words_are_compared_at_once() -> None:
    assert edit_distances("HOUSE", codes("MOUSE", "HORSE", "HOUSE", "ABCDE")).tolist() == [1, 1, 0, 4]


def test_the_first_of_several_nearest_words_is_taken_whatever_their_lengths() -> None:
    assert Vocabulary(["houses", "mouse", "horse"]).nearest("house") == ("houses", 1)
    assert Vocabulary(["mouse", "houses", "horse"]).nearest("house") == ("mouse", 1)
    assert Vocabulary(["abcdefgh", "xyz"]).nearest("abcdzzzzzz") == ("abcdefgh", 6)


def test_case_does_not_matter_and_the_words_own_case_comes_back() -> None:
    assert Vocabulary(["OpenVINO"]).nearest("openvina") == ("OpenVINO", 1)


def test_a_pair_list_is_compared_by_key_and_gives_the_word() -> None:
    assert Vocabulary(["JOES Joe's", "CAFE caf\u00e9"]).nearest("joe5") == ("Joe's", 1)


def test_a_far_reading_is_dropped_with_a_small_lexicon_and_kept_with_a_generic_one() -> None:
    assert moved("abcxyz", ["abcdef"], Kind.STRONG) == []
    assert moved("abcxyz", ["abcdef"], Kind.WEAK) == []
    assert moved("abcxyz", ["abcdef"], Kind.GENERIC) == ["abcdef"]
    assert moved("abcdex", ["abcdef"], Kind.WEAK) == ["abcdef"]


@pytest.mark.parametrize("text", ["", "to", "b12", "2024"])
def test_unread_short_and_numeric_words_stay_as_they_are(text: str) -> None:
    assert moved(text, ["abcdef"], Kind.STRONG) == [text]


def test_files_and_folders_become_lexicons_of_the_right_kind(tmp_path: Path) -> None:
    (tmp_path / "weak.txt").write_text("one\ntwo\n\n")
    (tmp_path / "generic.txt").write_text("\n".join(f"word{number}" for number in range(10_000)))
    (tmp_path / "whole_set.txt").write_text("\n".join(f"word{number}" for number in range(9_999)))
    (tmp_path / "strong").mkdir()
    (tmp_path / "strong" / "new_voc_img_1.txt").write_text("one")
    (tmp_path / "strong" / "voc_img_1.txt").write_text("two")
    (tmp_path / "strong" / "voc_img_11.txt").write_text("eleven")
    assert read_lexicon(str(tmp_path / "weak.txt"), ["img_1"]).kind is Kind.WEAK
    assert read_lexicon(str(tmp_path / "whole_set.txt"), ["img_1"]).kind is Kind.WEAK, "a list of a large test set"
    assert read_lexicon(str(tmp_path / "generic.txt"), ["img_1"]).kind is Kind.GENERIC
    assert read_lexicon(f"strong={tmp_path / 'weak.txt'}", ["img_1"]).kind is Kind.STRONG
    strong = read_lexicon(str(tmp_path / "strong"), ["a/img_11", "b/img_1"])
    assert strong.kind is Kind.STRONG
    assert [vocabulary.nearest("x")[0] for vocabulary in strong.vocabularies] == ["eleven", "two"]


def test_empty_lists_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n \n")
    with pytest.raises(UserError, match="holds no word"):
        read_lexicon(str(tmp_path / "empty.txt"), ["img_1"])


def test_titles_carry_the_letter_of_the_lexicon() -> None:
    assert metric_title("ic15_end_to_end_strong") == "ICDAR 2015 end-to-end (S)"
    assert metric_title("word_spotting") == "Word Spotting"
