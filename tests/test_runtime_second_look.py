"""Two looks at a picture: what both find is kept, what one finds must be sure."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from sample_graphs import save_ir

from text_spotting.cli.main import run_tool
from text_spotting.errors import UserError
from text_spotting.runtime.pipeline import Found
from text_spotting.runtime.second_look import ALONE, SURE, agree
from text_spotting.runtime.spotter import Spotter

BLUE = np.full((40, 80, 3), (255, 0, 0), np.uint8)


def found(*words: tuple[float, float, float]) -> Found:
    """Level words 100 long and 20 high at (x, y) with a score; each has its score as its text feature."""
    boxes = np.array([[x, y, x + 100, y + 20, score] for x, y, score in words], np.float32).reshape(-1, 5)
    frames = np.array([[[x, y], [100, 0], [0, 20]] for x, y, _ in words], np.float32).reshape(-1, 3, 2)
    features = boxes[:, 4].reshape(-1, 1, 1, 1)
    return Found(boxes, np.zeros((len(words), 2, 2), np.float32), frames, features)


def scores(looks: Found) -> list[float]:
    """Scores of the words, which their text features must have, too."""
    assert looks.text_features.ravel().tolist() == looks.boxes[:, 4].tolist()
    return [round(float(score), 2) for score in looks.boxes[:, 4]]


def test_a_word_that_both_have_found_is_kept_once_as_the_surer_look_has_it() -> None:
    agreed = agree(found((0, 0, 0.5)), found((4, 2, 0.55)))
    assert scores(agreed) == [0.55]
    assert agreed.frames[0, 0].tolist() == [4, 2]


def test_a_word_of_one_look_alone_must_be_sure() -> None:
    assert ALONE == 0.65
    assert scores(agree(found((0, 0, 0.64), (0, 100, 0.66)), found((0, 200, 0.7), (0, 300, 0.3)))) == [0.7, 0.66]


def test_two_words_of_one_look_do_not_vouch_for_each_other() -> None:
    assert scores(agree(found((0, 0, 0.5), (5, 0, 0.4)), found())) == []


@pytest.mark.parametrize(("shift", "kept"), [(49, 1), (51, 2)], ids=["more than half", "less than half"])
def test_words_are_one_where_half_of_the_smaller_lies_in_the_other(shift: float, kept: int) -> None:
    assert len(agree(found((0, 0, 0.9)), found((shift, 0, 0.8))).boxes) == kept


def test_slanted_neighbours_whose_boxes_overlap_stay_apart() -> None:
    slanted = np.array([[[0, 0], [70, 70], [-14, 14]], [[40, -10], [70, 70], [-14, 14]]], np.float32)
    boxes = np.array([[-14, 0, 70, 84, 0.9], [26, -10, 110, 74, 0.9]], np.float32)
    looks = [Found(boxes[[i]], np.zeros((1, 2, 2)), slanted[[i]], np.zeros((1, 1, 1, 1))) for i in (0, 1)]
    assert len(agree(*looks).boxes) == 2


def test_no_words_at_all_stay_none() -> None:
    nothing = agree(found(), found())
    assert [part.shape for part in nothing] == [(0, 5), (0, 2, 2), (0, 3, 2), (0, 1, 1, 1)]


def test_models_of_different_kinds_are_refused() -> None:
    other = found((0, 0, 0.9))._replace(text_features=np.zeros((1, 3, 8, 8), np.float32))
    with pytest.raises(UserError, match="of another kind"):
        agree(found((0, 0, 0.9)), other)


def test_words_must_be_surer_with_a_second_look_unless_its_user_says_else(tmp_path: Path) -> None:
    model = save_ir(tmp_path)
    assert Spotter(model).manifest.word_thr < SURE == 0.6 == Spotter(model, second_look=model).manifest.word_thr
    assert Spotter(model, second_look=model, min_score=0.3).manifest.word_thr == 0.3


def test_a_spotter_with_the_same_model_twice_finds_what_it_finds_once(tmp_path: Path) -> None:
    model = save_ir(tmp_path)
    once, twice = Spotter(model)(BLUE), Spotter(model, second_look=model)(BLUE)
    assert len(once) == 2
    assert sorted(word.text for word in twice) == sorted(word.text for word in once)
    assert sorted(word.box for word in twice) == sorted(word.box for word in once)


def test_scores_asked_for_hold_for_both_looks(tmp_path: Path) -> None:
    spotter = Spotter(save_ir(tmp_path), second_look=tmp_path, min_score=0.05)
    assert len(spotter(BLUE)) == 3, "the third is found with 0.1, by both"


@pytest.mark.slow
def test_the_tools_take_a_second_look(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, photo = save_ir(tmp_path / "model"), tmp_path / "blue.png"
    cv2.imwrite(str(photo), BLUE)
    assert run_tool("read", [str(photo), "--model", str(model), "--second-look", str(model.parent)]) == 0
    assert capsys.readouterr().out.split() == ["ab", "ab"]
    flags = ["--images", str(photo), "--save-json", str(tmp_path / "words.json"), "--no-show"]
    assert run_tool("visualize", ["--load-weights", str(model), "--second-look", str(tmp_path / "none"), *flags]) == 2
    assert "none" in capsys.readouterr().err


@pytest.mark.parametrize("tool", ["eval", "measure"])
def test_a_snapshot_takes_no_second_look(tool: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.pth").write_bytes(b"")
    cv2.imwrite(str(tmp_path / "1.png"), BLUE)
    words = '{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9], "attributes": {"transcription": "a"}}'
    (tmp_path / "a.json").write_text(
        f'{{"images": [{{"id": 1, "file_name": "1.png", "width": 80, "height": 40}}], "annotations": [{words}]}}'
    )
    sets = {
        "eval": ["--test-ann-files", str(tmp_path / "a.json"), "--test-data-roots", str(tmp_path)],
        "measure": ["--data-root", str(tmp_path), "--output", str(tmp_path / "out")],
    }
    flags = ["--load-weights", str(tmp_path / "a.pth"), "--second-look", str(tmp_path), *sets[tool]]
    assert run_tool(tool, flags) == 2
    assert "--second-look: needs an exported model" in capsys.readouterr().err
