"""The doors to the disk: what each refuses in one line, and writers that write whole."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from text_spotting.errors import UserError
from text_spotting.files.json_files import load_json, load_object
from text_spotting.files.reading import listing, read_text, read_word_list
from text_spotting.files.values import MalformedError, number, points, shown, text, truth, whole_number
from text_spotting.files.writing import JsonObjectWriter, write_whole
from text_spotting.files.xml_files import parse_xml
from text_spotting.files.yaml_files import load_yaml
from text_spotting.image_files import read_image, write_image


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[" * 100_000, "nests too deeply"),
        (b"9" * 5000, "a number of too many digits"),
        (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
        (b"{]", r"a\.json:1: not valid JSON"),
        (b"", r"a\.json:1: not valid JSON"),
    ],
)
def test_json_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(UserError, match=message):
        load_json(tmp_path / "a.json")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_json_in_any_unicode_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.json").write_text('{"é": 1}', encoding=encoding)
    assert load_object(tmp_path / "a.json") == {"é": 1}


LAUGHS = "<!DOCTYPE a [<!ENTITY b0 'ha'>" + "".join(f"<!ENTITY b{n} '{f'&b{n - 1};' * 10}'>" for n in range(1, 12))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<a>" * 200, r"a\.xml:1: elements nest too deeply"),
        (LAUGHS + "]><a>&b11;</a>", "not well-formed XML: limit on input amplification"),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "not well-formed XML: unknown encoding|cannot be read"),
        ('<?xml version="1.0" encoding="utf-7"?><a/>', "cannot be read|not well-formed"),
        ("<a>\n<b></a>", r"a\.xml:2: not well-formed XML: mismatched tag"),
    ],
    ids=["deep", "billion laughs", "unknown encoding", "multi-byte encoding", "mismatch"],
)
def test_xml_that_cannot_be_read_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.xml").write_text(content)
    with pytest.raises(UserError, match=message):
        parse_xml(tmp_path / "a.xml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: &x [1]\nb: *x\n", r"references \(\*name\) are not allowed"),
        ("a: !!python/object:os.system {}", "not valid YAML"),
        ("[" * 2000, "nests too deeply|not valid YAML"),
        ("a: 2001-99-99", "holds a value that is none"),
        ("a: " + "9" * 5000, "holds a value that is none"),
        ("#" * (1 << 21), "too many for YAML"),
    ],
    ids=["references", "python", "deep", "a date", "digits", "large"],
)
def test_yaml_that_cannot_be_read_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.yaml").write_text(content)
    with pytest.raises(UserError, match=message):
        load_yaml(tmp_path / "a.yaml")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_word_lists_are_read_line_by_line(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "words.txt").write_text("Щука\n\n  bus stop \n", encoding=encoding)
    assert read_word_list(tmp_path / "words.txt") == ["Щука", "bus stop"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"bus \xff", r"words\.txt: byte 4 is not UTF-8"),
        (b"\n \n", r"word list .*words\.txt: holds no word; expected one a line"),
        (None, r"word list .*words\.txt does not exist"),
    ],
    ids=["not Unicode", "blank", "missing"],
)
def test_word_lists_that_are_none_are_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "words.txt").write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_word_list(tmp_path / "words.txt")


def test_folders_missing_files_and_impossible_names_are_named(tmp_path: Path) -> None:
    for path, message in (
        (tmp_path, "is a folder"),
        (tmp_path / "gone", "does not exist"),
        (tmp_path / "a\0b", "does not exist|null"),
        (tmp_path / ("x" * 300), "too long|does not exist"),
    ):
        with pytest.raises(UserError, match=message):
            read_text(path)


def test_a_pipe_is_no_image_to_wait_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(UserError, match="it is not a file"):
        read_image(tmp_path / "pipe.jpg")


def test_what_other_programs_leave_behind_is_not_listed(tmp_path: Path) -> None:
    for name in ("gt_10.txt", "gt_2.txt", "._gt_2.txt", ".hidden/gt_1.txt", "deep/gt_3.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in listing(tmp_path, "*.txt")] == ["gt_2.txt", "gt_10.txt"]
    assert [path.name for path in listing(tmp_path, "**/*.txt")] == ["gt_3.txt", "gt_2.txt", "gt_10.txt"]


@pytest.mark.parametrize("value", [None, "x", [], {}, float("nan"), "inf", 1e39, 10**400, True and [1]])
def test_what_is_no_number_that_float32_holds(value: object) -> None:
    with pytest.raises(MalformedError):
        number(value)


def test_values_are_believed_only_after_a_look() -> None:
    assert (number("1.5"), whole_number("3"), whole_number(2.0)) == (1.5, 3, 2)
    assert [text(value) for value in ("a", None, 0, True, 2.5)] == ["a", "", "0", "true", "2.5"]
    assert text("a\ud800b") == "a\ufffdb"
    assert [truth(value) for value in ("Yes", "1", "no", "", 0, 1)] == [True, True, False, False, False, True]
    assert points([{"x": 1, "y": 2}] * 3).tolist() == [[1, 2]] * 3 == points([1, 2] * 3).tolist()
    for odd in ([[1, 2]] * 2, [[1, 2, 3]] * 3, [1, 2, 3, 4, 5, 6, 7], [[1, 2], [3]], "abc", [[1e7, 0]] * 3, [None] * 6):
        with pytest.raises(MalformedError):
            points(odd)
    with pytest.raises(MalformedError):
        text(["a"])
    assert shown("a\nb" * 99).isprintable() and len(shown(list(range(99)))) <= 100


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "a.txt"
    write_whole(path, "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"cannot write .*a\.txt: No space left on device"):
        write_whole(path, "new")
    assert path.read_text() == "old" and [file.name for file in path.parent.iterdir()] == ["a.txt"]


def test_results_are_there_line_by_line_before_they_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "w.json"
    with JsonObjectWriter(path) as results:
        results.add("a", [1])
        results.add("b\udcff", [])  # a file name that is not UTF-8
        part = (tmp_path / "w.json.part").read_text()
        assert part == '{\n"a": [1],\n"b\\udcff": []' and not path.exists()
    assert json.loads(path.read_text()) == {"a": [1], "b\udcff": []}
    with pytest.raises(KeyboardInterrupt), JsonObjectWriter(path) as results:
        results.add("c", [])
        raise KeyboardInterrupt
    assert json.loads(path.read_text()) == {"c": []}


def test_an_image_whose_ending_cannot_be_written_becomes_png(tmp_path: Path) -> None:
    image = np.full((4, 5, 3), 7, np.uint8)
    for name in ("a.xyz", "none", "a.JPG"):
        written = write_image(tmp_path / name, image)
        assert written.name == (name if name == "a.JPG" else f"{name}.png")
        assert read_image(written).shape == (4, 5, 3)
