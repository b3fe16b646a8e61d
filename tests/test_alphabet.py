"""Alphabets: what they take, how text becomes classes and back, and how one model's symbols move to another's."""

import argparse
import re
from pathlib import Path
from typing import Any

import pytest

from text_spotting.alphabet import DEFAULT, MAX_LENGTH, READY, START, STOP, Alphabet
from text_spotting.cli import generate_synthetic
from text_spotting.errors import UserError


def test_the_default_has_the_classes_of_the_published_models() -> None:
    assert DEFAULT.table == "  abcdefghijklmnopqrstuvwxyz0123456789"
    assert (START, STOP, MAX_LENGTH, DEFAULT.classes) == (0, 1, 28, 38)
    assert DEFAULT.encode("Bus7") == [3, 22, 20, 35, 1]


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        ("alphanumeric", "Bus7", "bus7"),
        ("alphanumeric_case", "Bus7", "Bus7"),
        ("printable_ascii", "it's @5%!", None),
        ("printable_ascii", "it's@5%!", "it's@5%!"),
        ("latin", "ÇAĞLAYAN", "çağlayan"),
        ("latin", "I\u0307stanbul", "istanbul"),
        ("latin", "Cafe\u0301", "café"),
        ("cyrillic", "Ўсё-так", None),
        ("cyrillic", "ЎСЁтак7", "ўсётак7"),
        ("digits", "0042", "0042"),
        ("digits", "B12", None),
    ],
    ids=[
        "case folded",
        "case kept",
        "a blank is no symbol",
        "marks",
        "accents folded",
        "a dotted capital i",
        "a letter and a lone accent are one character",
        "a mark that the alphabet lacks",
        "Cyrillic folded",
        "digits",
        "letters among digits",
    ],
)
def test_text_comes_back_as_the_alphabet_folds_it_or_is_no_target(name: str, text: str, read: str | None) -> None:
    alphabet = Alphabet.of(name)
    classes = alphabet.encode(text)
    assert ("".join(alphabet.table[index] for index in classes[:-1]) if classes else None) == read
    assert classes[-1:] == ([STOP] if classes else [])


def test_every_ready_alphabet_is_one() -> None:
    sizes = {name: len(Alphabet.of(name).symbols) for name in READY}
    assert sizes == {
        "alphanumeric": 36,
        "alphanumeric_case": 62,
        "printable_ascii": 94,
        "latin": 132,
        "cyrillic": 57,
        "digits": 10,
    }


def test_the_page_lists_every_ready_alphabet_with_its_size() -> None:
    page = (Path(__file__).parents[1] / "docs" / "alphabets.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)`.*: (\d+) \|", page, flags=re.MULTILINE)
    assert {name: int(size) for name, size in rows} == {name: len(symbols) for name, (symbols, _) in READY.items()}


def test_the_tool_names_every_ready_alphabet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(READY, "greek", ("\u03b1\u03b2\u03b3", True))
    parser = argparse.ArgumentParser()
    generate_synthetic.add_arguments(parser)
    shown = re.sub(r"\s+", " ", parser.format_help())
    assert f"written in: {', '.join(READY)}, or the symbols themselves" in shown


def test_marks_are_stripped_where_the_alphabet_lacks_them() -> None:
    assert DEFAULT.strip_punctuation('"Open!"') == "Open"
    assert Alphabet.of("printable_ascii").strip_punctuation("Open!") == "Open!"
    assert Alphabet.of({"symbols": "opne!"}).strip_punctuation("(open!)") == "open!"


def test_own_symbols_tell_cases_apart_when_they_hold_capitals() -> None:
    assert not Alphabet.of({"symbols": "АВЕ"}).fold_case
    assert Alphabet.of({"symbols": "аве"}).fold_case
    assert Alphabet.of({"symbols": "аве", "max_length": 9}).max_length == 9


def test_an_alphabet_is_what_its_dictionary_makes() -> None:
    alphabet = Alphabet.of({"name": "cyrillic", "max_length": 12})
    assert Alphabet.of(alphabet.to_dict()) == alphabet


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ("klingon", "there is none called 'klingon'; choose from alphanumeric"),
        ({"letters": "abc"}, "letters is not a known key"),
        ({"name": "digits", "symbols": "01"}, "name or symbols, not both"),
        ({"symbols": ""}, "symbols are missing"),
        ({"symbols": "abca"}, "'a' more than once"),
        ({"symbols": "ab c"}, "' ' cannot be symbols"),
        ({"symbols": "e\u0301"}, "cannot be symbols"),
        ({"symbols": "aB", "fold_case": True}, "'B' can never be read"),
        ({"symbols": 12}, "symbols must be str, not 12"),
        ({"name": "digits", "max_length": 1}, "max_length 1 leaves no room"),
        ({"name": "digits", "max_length": "9"}, "max_length must be int, not '9'"),
    ],
    ids=[
        "an unknown name",
        "an unknown key",
        "two owners",
        "nothing to read",
        "a symbol twice",
        "a blank",
        "a lone accent",
        "capitals in a folded alphabet",
        "no text",
        "no room for a symbol",
        "a length that is text",
    ],
)
def test_mistakes_are_named(settings: Any, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Alphabet.of(settings)
