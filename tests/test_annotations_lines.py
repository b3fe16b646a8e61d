"""Lines of numbers and text as annotation tools of twenty years wrote them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from text_spotting.annotations.lines import decoded, parse_lines, unquote
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.word_crops import WordCrops, read_word_crops
from text_spotting.errors import UserError


def parse(tmp_path: Path, data: bytes, numbers: int = 4, fields: int = 0) -> tuple[list[tuple[object, ...]], Problems]:
    path = tmp_path / "gt_1.txt"
    path.write_bytes(data)
    problems = Problems()
    lines = list(parse_lines(path, problems, numbers, fields))
    return [(*line.numbers, *line.fields, line.rest) for line in lines], problems


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"1,2,3,4,word", (1, 2, 3, 4, "word")),
        (b"1, 2, 3, 4, word\r\n", (1, 2, 3, 4, "word")),
        (b"1 2 3 4 two words", (1, 2, 3, 4, "two words")),
        (b"1\t2\t3\t4\tword", (1, 2, 3, 4, "word")),
        (b"\xef\xbb\xbf1,2,3,4,word", (1, 2, 3, 4, "word")),  # BOM
        ("1,2,3,4,wörd".encode("utf-16"), (1, 2, 3, 4, "wörd")),
        (b"1,2,3,4,$5,000", (1, 2, 3, 4, "$5,000")),  # commas belong to the text
        (b"-1.5,2e1,.5,4,7", (-1.5, 20, 0.5, 4, "7")),
        (b"1,2,3,4", (1, 2, 3, 4, "")),
        (b"1,2,3,4,", (1, 2, 3, 4, "")),
        (b'1,2,3,4,"SCAN"', (1, 2, 3, 4, '"SCAN"')),  # so do quotes, unless a reader knows better
    ],
)
def test_a_line_is_understood(tmp_path: Path, data: bytes, expected: tuple[object, ...]) -> None:
    lines, problems = parse(tmp_path, data)
    assert lines == [expected]
    assert len(problems) == 0


def test_fields_stand_between_numbers_and_text(tmp_path: Path) -> None:
    lines, _ = parse(tmp_path, b"1,2,3,4,Latin,a, b\n", fields=1)
    assert lines == [(1, 2, 3, 4, "Latin", "a, b")]


def test_short_lines_are_dropped_and_shown_by_file_and_line(tmp_path: Path) -> None:
    lines, problems = parse(tmp_path, b"1,2,3,4,a\n\n1,2,3\n1,2,x,4,b\n5,6,7,8,c\n")
    assert [line[-1] for line in lines] == ["a", "c"]
    assert [
        line.split(": ")[0].rsplit("/", 1)[-1] for line in problems.found["does not begin with 4 numbers: dropped"]
    ] == [
        "gt_1.txt:3",
        "gt_1.txt:4",
    ]


def test_a_missing_field_is_dropped(tmp_path: Path) -> None:
    lines, problems = parse(tmp_path, b"1,2,3,4\n", fields=2)
    assert lines == [] and list(problems.found) == ["a field after the numbers is missing: dropped"]


def test_bytes_that_are_not_utf8_are_read_as_windows_1252_and_reported(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    path.write_bytes(b"a\nCaf\xe9\n")
    problems = Problems()
    assert decoded(path, problems) == "a\nCafé\n"
    assert problems.found["not UTF-8: read as Windows-1252"] == [f"{path}:2"]


def test_strict_makes_a_short_line_fatal(tmp_path: Path) -> None:
    (tmp_path / "gt.txt").write_text("1,2\n")
    with pytest.raises(UserError, match=r"gt\.txt:1: 1,2: does not begin with 4 numbers"):
        list(parse_lines(tmp_path / "gt.txt", Problems(strict=True), 4))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"a"', "a"),
        ('"READER\\""', 'READER"'),
        ('READER"', 'READER"'),
        ('"', '"'),
        ("“a”", "a"),
        ("'a' b", "'a' b"),
        ('""', ""),
    ],
)
def test_only_a_pair_of_outer_quotes_goes(text: str, expected: str) -> None:
    assert unquote(text) == expected


def test_the_table_counts_kinds_and_shows_the_first_places() -> None:
    problems = Problems()
    problems.add("rare", "x:1")
    for line in range(1, 8):
        problems.add("common", f"y:{line}", "text")
    rows = problems.table().splitlines()
    assert rows[0].split() == ["7", "common"] and rows[1].strip() == "y:1: text"
    assert rows[6].strip() == "and 2 more" and rows[7].split() == ["1", "rare"]


def test_lists_of_word_crops(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    for name in ("word_1.png", "train/1_2.jpg", "b.jpeg"):
        (tmp_path / name).touch()
    list_file = tmp_path / "gt.txt"
    list_file.write_bytes(b'\xef\xbb\xbfword_1.png, "Genaxis Theatre"\r\ntrain/1_2.jpg You\nb.png\t100,000\n')
    assert read_word_crops(list_file) == [
        (tmp_path / "word_1.png", "Genaxis Theatre"),
        (tmp_path / "train/1_2.jpg", "You"),
        (tmp_path / "b.jpeg", "100,000"),  # listed as .png, found as .jpeg
    ]


def test_a_missing_crop_is_an_error_unless_problems_are_collected(tmp_path: Path) -> None:
    list_file = tmp_path / "gt.txt"
    (tmp_path / "here.png").touch()
    list_file.write_text("gone.png, x\nhere.png, y\nnotext\n")
    with pytest.raises(UserError, match=r"gt\.txt:1: .*gone.*image missing"):
        read_word_crops(list_file)
    problems = Problems()
    assert read_word_crops(list_file, problems=problems) == [(tmp_path / "here.png", "y")]
    assert len(problems) == 2


def test_word_crops_take_their_quads_from_a_list_and_fill_the_crop_without(tmp_path: Path) -> None:
    for name in ("word_1.jpg", "word_2.jpg"):
        cv2.imwrite(str(tmp_path / name), np.zeros((20, 80, 3), np.uint8))
    (tmp_path / "gt.txt").write_text('word_1.png, "Bus"\nword_2.png, "Stop"\n')
    (tmp_path / "coords.txt").write_text("\ufeffword_1.png,0,2,79,0,80,18,1,20\nword_2.png,0,x\n", encoding="utf-8")
    problems = Problems()
    first, second = WordCrops(tmp_path, "gt.txt", corners_file="coords.txt").read(problems)
    assert first.words[0].polygon.tolist() == [[0, 2], [79, 0], [80, 18], [1, 20]]
    assert second.words[0].box == (0.0, 0.0, 80.0, 20.0)
    assert "coords.txt:2" in problems.table()
