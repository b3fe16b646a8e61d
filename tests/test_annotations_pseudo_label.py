"""Transcribing words that are only outlined: which words are asked for, and what the recogniser is shown."""

import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from text_spotting.annotations.dataset_file import read_dataset, write_dataset
from text_spotting.annotations.pseudo_label import pseudo_label, rectify
from text_spotting.annotations.records import AnnotatedImage, LabelledWord, labelled
from text_spotting.cli.main import run_tool
from text_spotting.evaluation.broad import rapid
from text_spotting.words import Image, Word

QUAD = np.array([[10, 10], [70, 10], [70, 30], [10, 30]], dtype=np.float32)


def image_with_mark(path: Path) -> Path:
    """A white image whose only dark part is the left third of QUAD."""
    scene = np.full((60, 100, 3), 255, np.uint8)
    scene[10:30, 10:30] = 0
    assert cv2.imwrite(str(path), scene)
    return path


def upright(crop: Image) -> bool:
    return bool(crop[:, : crop.shape[1] // 3].mean() < 60)


def label(path: Path, words: list[Word], text: str, score: float) -> tuple[list[LabelledWord], Counter[str]]:
    """Label with a recogniser that reads a crop only when the dark end is on its left."""

    def recognise(crop: Image) -> tuple[str, float]:
        return (text, score) if upright(crop) else ("?", 0.1)

    ((image, counts),) = pseudo_label([AnnotatedImage(path, 100, 60, words)], recognise, min_score=0.9)
    return [labelled(word) for word in image.words], counts


def test_a_word_without_text_is_filled_in_and_marked(tmp_path: Path) -> None:
    (word,), counts = label(
        image_with_mark(tmp_path / "a.png"), [Word(QUAD)], " \N{FULLWIDTH LATIN CAPITAL LETTER E}xit ", 0.95
    )
    assert (word.text, word.score, word.attributes) == ("Exit", 0.95, {"source": "pseudo"})
    assert counts == {"labelled": 1}


def test_transcribed_and_dont_care_words_are_never_touched(tmp_path: Path) -> None:
    given: list[Word] = [LabelledWord(QUAD, "Way", language="english"), Word(QUAD, ignore=True)]
    words, counts = label(image_with_mark(tmp_path / "a.png"), given, "Exit", 0.99)
    assert [(word.text, word.ignore) for word in words] == [("Way", False), ("", True)]
    assert words[0] is given[0] and counts == {"left alone": 2}


def test_an_unsure_reading_is_left_out(tmp_path: Path) -> None:
    (word,), counts = label(image_with_mark(tmp_path / "a.png"), [Word(QUAD)], "Exit", 0.89)
    assert (word.text, word.score, counts) == ("", 1.0, {"unsure": 1})


@pytest.mark.parametrize(
    ("turn", "text", "expected"),
    [
        (2, "Exit", "Exit"),  # upside down
        (2, "98", ""),  # too short to be believed upside down
        (0, "98", "98"),
    ],
)
def test_a_word_is_also_tried_upside_down(tmp_path: Path, turn: int, text: str, expected: str) -> None:
    (word,), _ = label(image_with_mark(tmp_path / "a.png"), [Word(np.roll(QUAD, turn, axis=0))], text, 0.95)
    assert word.text == expected


@pytest.mark.parametrize("turn", [1, 3])
def test_a_word_on_end_is_turned_either_way(tmp_path: Path, turn: int) -> None:
    (word,), _ = label(image_with_mark(tmp_path / "a.png"), [Word(np.roll(QUAD, turn, axis=0))], "Exit", 0.95)
    assert word.text == "Exit"


def test_rectify_straightens_a_quad_from_its_first_corner() -> None:
    scene = np.zeros((60, 100, 3), np.uint8)
    quad = np.array([[20, 10], [80, 25], [80, 45], [20, 30]], dtype=np.float32)
    cv2.fillConvexPoly(scene, quad.astype(np.int32), (255, 255, 255))
    crop = rectify(scene, quad)
    assert crop.shape == (20, 62, 3)  # the longer of opposite sides: hypot(60, 15) = 61.8
    assert crop[2:-2, 2:-2].min() > 200


def test_rectify_does_not_mirror_a_quad_drawn_anticlockwise() -> None:
    scene = np.full((60, 100, 3), 255, np.uint8)
    scene[10:30, 10:30] = 0
    assert upright(rectify(scene, QUAD[[0, 3, 2, 1]]))


def test_rectify_takes_other_polygons_by_their_rectangle() -> None:
    scene = np.full((60, 100, 3), 255, np.uint8)
    scene[10:30, 10:30] = 0
    crop = rectify(scene, np.array([[10, 10], [40, 10], [70, 10], [70, 30], [10, 30]], dtype=np.float32))
    assert crop.shape[:2] == (20, 60) and upright(crop)


def annotation_file(folder: Path) -> Path:
    path = folder / "in.json"
    write_dataset(path, [AnnotatedImage(image_with_mark(folder / "a.png"), 100, 60, [Word(QUAD)])])
    return path


def test_the_tool_reads_with_rapidocr_and_says_what_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = SimpleNamespace(
        EngineType=SimpleNamespace(OPENVINO="openvino"),
        RapidOCR=lambda params: lambda crop, **steps: SimpleNamespace(txts=("Exit",), scores=(0.97,)),
    )
    rapid.engine.cache_clear()
    monkeypatch.setitem(sys.modules, "rapidocr", engine)
    flags = ["--ann-file", f"{annotation_file(tmp_path)}", "--output", f"{tmp_path}/sub/out.json"]
    assert run_tool("pseudo_label", flags) == 0
    assert "1 words transcribed, 0 not sure enough" in capsys.readouterr().out
    (image,) = read_dataset(tmp_path / "sub/out.json")
    assert [(word.text, word.score) for word in image.words] == [("Exit", 0.97)]
    assert image.path.resolve() == tmp_path / "a.png"
    rapid.engine.cache_clear()


def test_the_tool_names_the_missing_package_and_wrong_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    rapid.engine.cache_clear()
    flags = ["--ann-file", f"{annotation_file(tmp_path)}", "--output", f"{tmp_path}/out.json"]
    assert run_tool("pseudo_label", flags) == 2
    assert "pip install rapidocr" in capsys.readouterr().err
    assert run_tool("pseudo_label", [*flags, "--min-score", "90"]) == 2
    assert "--min-score 90.0: must lie between 0 and 1" in capsys.readouterr().err
