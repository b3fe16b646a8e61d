"""How many words of an image are found: the limit, what raising it costs, and that reaching it is said."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from small_networks import CONFIGS, TEMPLATES

from text_spotting.cli.main import run_tool
from text_spotting.cli.remarks import Remarks
from text_spotting.engine.torch_spotter import manifest_of
from text_spotting.errors import UserError
from text_spotting.manifest import Manifest
from text_spotting.models.proposals import proposal_count
from text_spotting.postprocess import select
from text_spotting.workdir.config import limit_words, load_config

MANIFEST = Manifest((64, 64), True, (0, 0, 0), (1, 1, 1), True, False, "a", "b", "c", score_thr=0.5, max_words=3)


@pytest.mark.parametrize(
    ("scores", "count"),
    [
        ([0.99, 0.95, 0.8, 0.7], 3),  # as many as usual, however unsure
        ([0.99, 0.95, 0.94, 0.93, 0.7], 4),  # beyond that, only the sure ones
        ([0.4], 3),  # a slice up to 3 takes the one there is
    ],
)
def test_beyond_the_usual_number_only_sure_proposals_are_looked_at(scores: list[float], count: int) -> None:
    settings = ConfigDict(usual=3, sure_thr=0.9)
    assert int(proposal_count(torch.tensor(scores), settings)) == count
    assert proposal_count(torch.tensor(scores), ConfigDict(max_per_img=100)) == len(scores)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.parent.name)
def test_one_key_says_how_many_words_a_template_finds(path: Path) -> None:
    config = load_config(path)
    assert config.max_words == config.model.test_cfg.rpn.max_per_img == manifest_of(config).max_words
    for most in (1000, 50):
        limit_words(config, most)
        assert (config.max_words, manifest_of(config).max_words) == (most, most)
    assert config.model.test_cfg.rpn.max_per_img >= 50


def test_lite_finds_up_to_400_words() -> None:
    config = load_config(TEMPLATES / "text-spotting-0003-lite" / "model.py")
    assert config.max_words == 400
    limit_words(config, 1000)
    assert (config.model.test_cfg.rpn.max_per_img, config.model.test_cfg.rpn.nms_pre) == (1000, 1500)
    limit_words(config, 50)
    assert config.model.test_cfg.rpn.usual == 50


def test_the_limit_of_an_older_work_dir_is_raised_without_slowing_ordinary_images() -> None:
    rpn, rcnn = ConfigDict(nms_pre=300, max_per_img=100), ConfigDict(max_per_img=100)
    config = ConfigDict(model=ConfigDict(test_cfg=ConfigDict(rpn=rpn, rcnn=rcnn)))
    limit_words(config, 400)
    assert dict(rpn) == {"nms_pre": 600, "max_per_img": 400, "usual": 100, "sure_thr": 0.9}
    assert rcnn.max_per_img == 400


def test_reaching_the_limit_is_said(caplog: pytest.LogCaptureFixture) -> None:
    boxes = np.array([[0, 0, 9, 9, 0.9], [0, 0, 9, 9, 0.4], [0, 0, 0, 0, 0.9]], np.float32)  # the last is padding
    with caplog.at_level(logging.WARNING):
        assert select(boxes, MANIFEST).tolist() == [0]
        assert caplog.records == []
        assert select(boxes[[0, 1, 0]], MANIFEST).tolist() == [0, 2]
    assert "as many words as the model finds at most, 3" in caplog.text


def test_a_run_says_once_which_images_met_a_limit(capsys: pytest.CaptureFixture[str]) -> None:
    full = np.array([[0, 0, 9, 9, 0.9]] * 3, np.float32)
    small, large = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 200, 3), np.uint8)
    with Remarks((64, 64)) as remarks:
        for name, boxes, image in (("a", full, small), ("b", full[:1], large), ("c", full, small)):
            select(boxes, MANIFEST)
            remarks.note(name, image)
    words, size = capsys.readouterr().err.splitlines()
    assert words.startswith("note: 2 image(s) (a, c) held as many words as the model finds at most")
    assert size.startswith("note: 1 image(s) (b) are much larger than the model's input") and "--tiles auto" in size


@pytest.mark.parametrize("most", ["0", "2001"])
def test_an_impossible_limit_is_refused(tmp_path: Path, most: str, capsys: pytest.CaptureFixture[str]) -> None:
    config = TEMPLATES / "text-spotting-0003-lite" / "model.py"
    flags = ["--config", config, "--load-weights", tmp_path / "a.pth", "--save-model-to", tmp_path, "--max-words", most]
    assert run_tool("export", [str(flag) for flag in flags]) == 2
    assert f"--max-words {most}: must lie between 1 and 2000" in capsys.readouterr().err


def test_a_manifest_of_before_has_the_limit_of_before() -> None:
    values = json.loads(MANIFEST.to_json())
    del values["max_words"]
    assert Manifest.from_json(json.dumps(values), "m").max_words == 100


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_size": [0, 64]}, "impossible input_size"),
        ({"input_size": [32768, 64]}, "impossible input_size"),
        ({"std": [0, 1, 1]}, "impossible std"),
        ({"score_thr": 7}, "impossible threshold"),
        ({"max_words": 0}, "impossible max_words"),
        ({"input_size": "wide"}, "wrong input_size"),
        ({"keep_aspect": 1}, "wrong keep_aspect"),
        ({"max_words": True}, "wrong max_words"),
        ({"symbols": ""}, "impossible symbols"),
    ],
)
def test_a_manifest_is_checked_by_value(change: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Manifest.from_json(json.dumps({**json.loads(MANIFEST.to_json()), **change}), "m")
