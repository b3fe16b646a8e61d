"""Prediction files: what is read, how images are paired with them, and how every mistake is named."""

import json
from pathlib import Path

import numpy as np
import pytest

from text_spotting.errors import UserError
from text_spotting.evaluation.predictions import (
    image_names,
    pair_predictions,
    read_predictions,
    write_predictions,
)
from text_spotting.geometry import box_to_polygon
from text_spotting.words import Word

SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10]]


def word(text: str = "abc") -> Word:
    return Word(np.array(SQUARE), text, 0.5)


def test_what_is_written_reads_back_the_same(tmp_path: Path) -> None:
    outline = np.array([[0.1, 0.2], [1234.5678, 3.3], [7, 1000.25], [1, 2], [3, 9]], np.float32)
    path = tmp_path / "new" / "predictions.json"
    write_predictions(path, {"one": [Word(outline, "caf\u00e9", 0.123456)], "two": []})
    read = read_predictions(path)
    assert list(read) == ["one", "two"]
    assert (read["one"][0].polygon == outline).all()
    assert (read["one"][0].text, read["one"][0].score, read["two"]) == ("caf\u00e9", 0.123456, [])
    assert [file.name for file in path.parent.iterdir()] == ["predictions.json"]


def test_icdar_lines_of_all_kinds_are_read(tmp_path: Path) -> None:
    lines = [
        "0,0,10,0,10,10,0,10,Hello, world",
        "0, 0, 10, 0, 10, 10, 0, 10",
        "1,2,3,4,box",
        "0,0,10,0,15,5,10,10,0,10,####curved",
        '0,0,10,0,10,10,0,10,"say \\"hi\\""',
        "-1,0.5,10,0,10,10,0,10,  spaced ",
    ]
    (tmp_path / "res_img_1.txt").write_text("\ufeff" + "\r\n".join(lines) + "\r\n\r\n", encoding="utf-8")
    (tmp_path / "img_2.txt").write_text("", encoding="utf-8")
    read = read_predictions(tmp_path)
    assert [one.text for one in read["img_1"]] == ["Hello, world", "", "box", "curved", '"say \\"hi\\""', "  spaced "]
    assert [len(one.polygon) for one in read["img_1"]] == [4, 4, 4, 5, 4, 4]
    assert (read["img_1"][2].polygon == box_to_polygon((1, 2, 3, 4))).all()
    assert read["img_2"] == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"p\.json:1: not valid JSON"),
        ("[]", r'expected an object \{"<image>": \[words\]\}, found a list'),
        ('{"a": [], "a": [], "b": []}', "1 names occur more than once: a"),
        ('{"a": {}}', "'a' must hold a list of words"),
        ('{"a": [3]}', r"'a'\[0\]: needs a polygon \[\[x, y\], ...\], a text and a score"),
        ('{"a": [{"text": "b"}]}', r"'a'\[0\]: needs a polygon"),
        ('{"a": [{"polygon": [[0, 0], [1, 1]]}]}', r"'a'\[0\]: the polygon needs three or more points"),
        ('{"a": [{"polygon": [[0, 0], [1, 1], [1e9, 0]]}]}', r"'a'\[0\]: a coordinate is out of range"),
        ('{"a": [{"polygon": [[0, 0], [1, 1], [NaN, 0]]}]}', r"'a'\[0\]: a coordinate is out of range"),
        ('{"a": [{"polygon": [[0, 0], [1, 1], [1, 0]], "text": 7}]}', r"'a'\[0\]: text must be a string"),
        ('{"a": [{"polygon": [[0, 0], [1, 1], [1, 0]], "score": "high"}]}', r"'a'\[0\]: needs a polygon"),
    ],
)
def test_a_broken_json_file_is_refused_by_place(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "p.json"
    path.write_text(content)
    with pytest.raises(UserError, match=message):
        read_predictions(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,2,3,text", r"res_a\.txt:2: expected x1,y1,...,x4,y4,text but found '1,2,3,text'"),
        ("1,2,3,4,5,6,7,####odd", r"res_a\.txt:2: an odd number of coordinates"),
        ("0,0,9e9,0,9,9,0,9,far", r"res_a\.txt:2: a coordinate is out of range"),
    ],
)
def test_a_broken_icdar_line_is_refused_by_file_and_line(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "res_a.txt").write_text("0,0,9,0,9,9,0,9,fine\n" + line)
    with pytest.raises(UserError, match=message):
        read_predictions(tmp_path)


def test_missing_places_and_doubled_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="do not exist"):
        read_predictions(tmp_path / "nothing.json")
    with pytest.raises(UserError, match=r"holds no \.txt file"):
        read_predictions(tmp_path)
    (tmp_path / "res_a.txt").write_text("")
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(UserError, match="both there for image a"):
        read_predictions(tmp_path)
    (tmp_path / "a.txt").write_bytes(b"\xff")
    (tmp_path / "res_a.txt").unlink()
    with pytest.raises(UserError, match="byte 0 is not UTF-8"):
        read_predictions(tmp_path)


def test_pairing_names_and_counts_what_does_not_fit() -> None:
    predictions = {"b": [word()], "x": [], "y": [], "z": [], "w": []}
    names = ["a", "b", "c"]
    words, warnings = pair_predictions(predictions, names, [(10, 10), (8, 20), (10, 10)], Path("p.json"))
    assert [len(found) for found in words] == [0, 1, 0]
    assert warnings == [
        "p.json: 4 predicted images are not in the test set, left out: w, x, y and 1 more",
        "p.json: 2 of 3 images have no predictions, scored as empty: a, c",
        "p.json: 1 images have words outside their bounds, scored as they are: b",
    ]


def test_predictions_for_another_set_are_refused() -> None:
    with pytest.raises(
        UserError, match=r"none of its 2 names is an image of the test set \(it has x, y; the set has a\)"
    ):
        pair_predictions({"x": [], "y": []}, ["a"], [(1, 1)], Path("p.json"))


def test_images_of_equal_names_are_told_apart_by_their_folders() -> None:
    paths = [Path("/data/one/img/1.jpg"), Path("/data/two/img/1.jpg"), Path("/data/two/img/2.jpg")]
    assert image_names(paths) == ["one/img/1", "two/img/1", "2"]
    with pytest.raises(UserError, match="same name"):
        image_names([Path("/data/1.jpg"), Path("/data/1.jpg")])


def test_images_that_differ_in_their_ending_are_called_with_it() -> None:
    paths = [Path("/in/shop.jpg"), Path("/in/shop.png"), Path("/in/other.jpg")]
    assert image_names(paths) == ["shop.jpg", "shop.png", "other"]


def test_predictions_may_name_images_with_their_ending() -> None:
    words, warnings = pair_predictions({"a.JPG": [word()], "b": []}, ["a", "b"], [(10, 10), (10, 10)], Path("p.json"))
    assert ([len(found) for found in words], warnings) == ([1, 0], [])


def test_the_json_form_is_the_documented_one(tmp_path: Path) -> None:
    write_predictions(tmp_path / "p.json", {"photo": [word("abc")]})
    assert json.loads((tmp_path / "p.json").read_text()) == {
        "photo": [{"polygon": SQUARE, "text": "abc", "score": 0.5}]
    }
