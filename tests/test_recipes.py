"""Recipes: each stage's configuration holds together, and its data can be drawn."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from mmdet.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from test_data import picture_of

import text_spotting.data  # noqa: F401  (registers data sets)
from text_spotting.annotations.dataset_file import write_dataset
from text_spotting.annotations.readers import READERS
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.engine.torch_spotter import build_network

RECIPES = Path(__file__).parents[1] / "configs" / "recipes"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the recipes expect, one small picture or crop each."""
    sample = picture_of((20, 30, 110, 60))
    for folder in ("icdar2015/word_crops_train", "iiit5k", "backgrounds"):
        (tmp_path / folder).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / folder / "word.png"), sample.image)
    (tmp_path / "icdar2015/word_crops_train/gt.txt").write_text('word.png, "Bus"\n')
    (tmp_path / "iiit5k/train.tags").write_text("word.png Bus\n")
    cv2.imwrite(str(tmp_path / "photo.png"), sample.image)
    for name in ("ic15_train", "mlt_pseudo", "ic03", "ic15_dev"):
        write_dataset(tmp_path / f"{name}.json", [AnnotatedImage(tmp_path / "photo.png", 200, 100, sample.words)])
    monkeypatch.setenv("DATA_ROOT", str(tmp_path))
    monkeypatch.setenv("ANN_ROOT", str(tmp_path))
    return tmp_path


def load(name: str) -> Any:
    init_default_scope("mmdet")
    return Config.fromfile(RECIPES / name, import_custom_modules=False)


def test_the_recogniser_stage_trains_what_the_spotter_loads(data: Path) -> None:
    config = load("lite_recogniser.py")
    crops = DATASETS.build(config.train_dataloader.dataset)
    item = crops[0]
    assert item["inputs"].shape == (3, 32, 128)
    weights = build_network(config).state_dict()
    spotter = build_network(load("lite_detector.py")).state_dict()
    shared = {name for name in spotter if name.startswith("roi_head.text_head")}
    assert {name: weights[name].shape for name in shared} == {name: spotter[name].shape for name in shared}


def test_words_turn_hard_along_the_ramp(data: Path) -> None:
    crops = DATASETS.build({**load("lite_recogniser.py").train_dataloader.dataset, "real_share": 0.0, "transforms": []})
    chosen = []
    crops.generators = [
        lambda seed, step=step: (chosen.append(step), (np.zeros((9, 9, 3), np.uint8), "word"))[1] for step in range(5)
    ]
    for index in (0, crops.ramp // 2, crops.ramp - 1, crops.ramp, 10 * crops.ramp):
        crops[index]
    assert chosen == [0, 2, 4, 4, 4]


def test_the_detector_stage_mixes_photos_and_rendered_pictures(data: Path) -> None:
    dataset = DATASETS.build(load("lite_detector.py").train_dataloader.dataset)
    shapes = {tuple(dataset[index]["inputs"].shape) for index in range(12)}
    assert shapes == {(3, 448, 640)}
    assert len(dataset.sources) == 4


def test_data_set_configs_of_recipes_name_known_readers() -> None:
    for path in RECIPES.glob("*.json"):
        assert all(entry["name"] in READERS for entry in json.loads(path.read_text())), path.name
