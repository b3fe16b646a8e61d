"""Words become lines in reading order, and files that other programs read."""

import csv
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from text_spotting import Word, Words
from text_spotting.errors import UserError
from text_spotting.result.formats import FORMATS, as_named_text


def word(
    text: str,
    x: float,
    y: float,
    width: float | None = None,
    height: float = 20,
    degrees: float = 0,
    score: float = 0.9,
) -> Word:
    """A word whose top left corner is at (x, y)."""
    angle = np.radians(degrees)
    along, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    side = along * (width or 12 * len(text))
    return Word(
        np.array([x, y]) + np.stack([0 * side, side, side + height * down, height * down]),
        text,
        score,
        text_score=0.8,
        char_scores=(0.8,) * len(text),
    )


def text_of(*words: Word) -> str:
    return Words(words, (640, 480)).text


LAYOUTS = {
    "words of a line, found in any order": ([word("two", 100, 12), word("one", 50, 10)], "one two"),
    "lines from the top": ([word("below", 50, 60), word("above", 50, 10)], "above\nbelow"),
    "columns side by side are lines of their own": ([word("right", 400, 10), word("left", 10, 12)], "left\nright"),
    "a slanted line stays together": (
        [word("rises", 10, 100, degrees=-20), word("gently", 75, 77, degrees=-20)],
        "rises gently",
    ),
    "a title is no part of the small line beside it": (
        [word("BIG", 10, 10, height=80, width=100), word("small", 115, 40, height=15)],
        "BIG\nsmall",
    ),
    "a standing word beside a lying one": (
        [word("up", 60, 100, degrees=-90), word("flat", 80, 60)],
        "flat\nup",
    ),
    "three lines of two": (
        [word(name, 10 + 25 * (i % 2), 10 + 30 * (i // 2)) for i, name in enumerate("abcdef")],
        "a b\nc d\ne f",
    ),
    "words 1.4 heights apart are of a line": ([word("one", 50, 10), word("two", 86 + 28, 10)], "one two"),
    "words 1.7 heights apart are not": ([word("one", 50, 10), word("two", 86 + 34, 10)], "one\ntwo"),
    "words may overlap by 0.6 heights": ([word("one", 50, 10), word("two", 86 - 12, 10)], "one two"),
    "words that overlap by 0.8 heights are none of a line": (
        [word("one", 50, 10), word("two", 86 - 16, 10)],
        "one\ntwo",
    ),
    "the next word may lie 0.45 heights beside the line": ([word("one", 50, 10), word("two", 100, 19)], "one two"),
    "a word 0.55 heights beside it is none of the line": ([word("one", 50, 10), word("two", 100, 21)], "one\ntwo"),
    "an unread word has no place": ([word("seen", 10, 10), word("", 80, 10, width=30)], "seen"),
    "nothing": ([], ""),
}


@pytest.mark.parametrize(("words", "text"), LAYOUTS.values(), ids=LAYOUTS)
def test_text_in_reading_order(words: list[Word], text: str) -> None:
    assert text_of(*words) == text


FOUND = Words([word("b,c", 60, 10), word("a", 20, 10), word("", 200, 100, width=40)], (320, 240))


def test_a_word_becomes_plain_json() -> None:
    assert json.loads(json.dumps(FOUND[0].to_dict())) == {
        "text": "b,c",
        "score": 0.9,
        "text_score": 0.8,
        "char_scores": [0.8, 0.8, 0.8],
        "polygon": [[60, 10], [96, 10], [96, 30], [60, 30]],
        "angle": 0,
    }


def test_all_words_go_through_json_in_reading_order() -> None:
    values = json.loads(FOUND.to_json())
    assert (values["width"], values["height"], values["text"]) == (320, 240, "a b,c")
    assert [each["text"] for each in values["words"]] == ["a", "b,c", ""]


def written(name: str) -> str:
    return "".join(FORMATS[name]([("one.jpg", FOUND), ("two.jpg", Words([], (8, 8)))]))


def test_text_names_images_only_where_there_are_several() -> None:
    assert written("text") == "a b,c\n"
    assert "".join(as_named_text([("one.jpg", FOUND), ("two.jpg", Words())])) == (
        "==> one.jpg <==\na b,c\n\n==> two.jpg <==\n"
    )


def test_json_is_a_list_of_images_and_jsonl_a_line_for_each() -> None:
    both = json.loads(written("json"))
    assert [image["image"] for image in both] == ["one.jpg", "two.jpg"]
    assert [json.loads(line) for line in written("jsonl").splitlines()] == both
    assert json.loads("".join(FORMATS["json"]([]))) == []


@pytest.mark.parametrize(("name", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_tables_have_a_row_for_each_word(name: str, delimiter: str) -> None:
    rows = list(csv.DictReader(written(name).splitlines(), delimiter=delimiter))
    assert [(row["image"], row["line"], row["text"], row["x1"]) for row in rows] == [
        ("one.jpg", "1", "a", "20.0"),
        ("one.jpg", "1", "b,c", "60.0"),
        ("one.jpg", "", "", "200.0"),
    ]


def test_hocr_is_xml_with_pages_lines_and_words() -> None:
    tree = ElementTree.fromstring(written("hocr").partition("?>")[2].partition(">")[2])
    by_class: dict[str | None, list[ElementTree.Element]] = {}
    for node in tree.iter():
        by_class.setdefault(node.get("class"), []).append(node)
    assert len(by_class["ocr_page"]) == 2
    assert by_class["ocr_page"][0].get("title") == 'image "one.jpg"; bbox 0 0 320 240; ppageno 0'
    assert [node.text for node in by_class["ocrx_word"]] == ["a", "b,c"]
    assert by_class["ocrx_word"][1].get("title") == "bbox 60 10 96 30; x_wconf 90"
    assert by_class["ocr_line"][0].get("title") == "bbox 20 10 96 30"


def test_icdar_lines() -> None:
    assert written("icdar").splitlines() == [
        "20,10,32,10,32,30,20,30,a",
        "60,10,96,10,96,30,60,30,b,c",
        "200,100,240,100,240,120,200,120,",
    ]


@pytest.mark.parametrize("ending", [".json", ".txt", ".csv", ".tsv", ".jsonl", ".hocr", ".html"])
def test_words_are_saved_as_their_file_is_called(tmp_path: Path, ending: str) -> None:
    FOUND.save(tmp_path / f"photo{ending}")
    assert "b,c" in (tmp_path / f"photo{ending}").read_text(encoding="utf-8")


def test_a_kind_that_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"photo.pdf: words are saved as .txt, .html, .json"):
        FOUND.save(tmp_path / "photo.pdf")


def test_words_are_drawn_over_any_kind_of_image() -> None:
    blank = np.zeros((240, 320, 3), np.uint8)
    drawn = FOUND.draw(blank)
    assert drawn[10:31, 60:97].any()
    assert not blank.any()


def test_supervision_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(UserError, match=r"to_supervision\(\) needs the package supervision; install it: pip install"):
        FOUND.to_supervision()
