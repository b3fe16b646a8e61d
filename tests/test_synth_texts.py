"""What is written in an alphabet, and which fonts may write it."""

import random
from pathlib import Path

import pytest

from text_spotting.alphabet import DEFAULT, READY, Alphabet
from text_spotting.annotations.dataset_file import read_dataset
from text_spotting.cli.main import BAD_INPUT, run_tool
from text_spotting.errors import UserError
from text_spotting.fonts import draws
from text_spotting.synth import corpus
from text_spotting.synth.crops import WordGenerator, WordOptions
from text_spotting.synth.texts import faces_for, text_source, written_characters


def written(name: str, count: int = 3000, words: Path | None = None) -> list[str]:
    source, rng = text_source(Alphabet.of(name), words), random.Random(0)
    return [source.word(rng) for _ in range(count)]


def test_the_usual_alphabet_is_written_as_ever() -> None:
    first, second = random.Random(3), random.Random(3)
    source = text_source(DEFAULT)
    assert [source.word(first) for _ in range(50)] == [corpus.word(second) for _ in range(50)]
    assert source.line(first, 4) == corpus.line(second, 4)


@pytest.mark.parametrize("name", sorted(set(READY) - {"alphanumeric"}))
def test_every_text_can_be_learned_and_every_symbol_is_seen(name: str) -> None:
    alphabet, texts = Alphabet.of(name), written(name)
    assert all(alphabet.encode(text) for text in texts)
    assert set(alphabet.normalise("".join(texts))) == set(alphabet.symbols)


def test_where_case_is_read_both_cases_are_common() -> None:
    letters = [char for text in written("alphanumeric_case") for char in text if char.isalpha()]
    assert 0.3 < sum(char.isupper() for char in letters) / len(letters) < 0.7


def test_listed_words_are_two_thirds_of_all_and_foreign_ones_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("аптека хлеб\nbread хлеб\n", encoding="utf-8")
    texts = [text.lower() for text in written("cyrillic", words=tmp_path / "words.txt")]
    assert 0.6 < sum(text in ("аптека", "хлеб") for text in texts) / len(texts) < 0.7
    assert "bread" not in texts


def test_a_word_list_is_read_like_all_others(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("хлеб", encoding="utf-16")
    assert "хлеб" in [text.lower() for text in written("cyrillic", words=tmp_path / "words.txt")]
    (tmp_path / "blank.txt").write_text("\n")
    with pytest.raises(UserError, match="holds no word; expected one a line"):
        text_source(Alphabet.of("cyrillic"), tmp_path / "blank.txt")


def test_a_list_of_foreign_words_is_refused(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("bread butter")
    with pytest.raises(UserError, match="none of its 2 words can be written"):
        text_source(Alphabet.of("cyrillic"), tmp_path / "words.txt")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["latin", "cyrillic", "printable_ascii"])
def test_fonts_draw_every_character_capitals_included(name: str) -> None:
    needed = written_characters(Alphabet.of(name))
    faces = faces_for(Alphabet.of(name))
    assert faces and all(draws(face, needed) for face in faces)


def test_capitals_are_written_where_case_is_folded() -> None:
    assert written_characters(Alphabet.of({"symbols": "abß"})) == "abßAB", "the capital of ß is two characters"
    assert written_characters(Alphabet.of({"symbols": "aB"})) == "aB"


def test_an_alphabet_that_no_font_draws_is_refused_with_what_is_missing() -> None:
    with pytest.raises(UserError, match="no font installed draws the whole alphabet; the best one lacks \U00013000"):
        faces_for(Alphabet.of({"symbols": "a\U00013000"}))


def test_word_crops_are_written_in_their_alphabet() -> None:
    generator = WordGenerator(WordOptions(alphabet="cyrillic"))
    alphabet = Alphabet.of("cyrillic")
    assert all(alphabet.encode(generator(seed)[1].text) for seed in range(8))


def test_the_tool_draws_an_alphabet_and_takes_both_kinds_of_words(tmp_path: Path) -> None:
    (tmp_path / "plates.txt").write_text("А123ВС77 К777КК99", encoding="utf-8")
    flags = ["--count", "2", "--size", "320x200", "--alphabet", "cyrillic", "--words", "2", "4"]
    out = tmp_path / "out"
    assert run_tool("generate_synthetic", ["--output", str(out), "--words", str(tmp_path / "plates.txt"), *flags]) == 0
    alphabet = Alphabet.of("cyrillic")
    texts = [word.text for image in read_dataset(out / "annotation.json", out) for word in image.words if word.text]
    assert texts and all(alphabet.encode(text) for text in texts)


@pytest.mark.parametrize(
    "words", [["4"], ["a.txt", "b.txt"], ["4", "x"]], ids=["one number", "two files", "half a range"]
)
def test_words_that_are_neither_a_file_nor_a_range_are_refused(words: list[str], tmp_path: Path) -> None:
    assert run_tool("generate_synthetic", ["--output", str(tmp_path), "--words", *words]) == BAD_INPUT
