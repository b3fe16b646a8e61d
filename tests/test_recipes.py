"""Recipes: each stage's configuration holds together, and its data can be drawn."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from mmdet.registry import DATASETS
from mmengine.registry import init_default_scope
from test_data import image_of

import text_spotting.data  # noqa: F401  (registers data sets)
from text_spotting.annotations.dataset_file import write_dataset
from text_spotting.annotations.readers import READERS
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.engine.torch_spotter import build_network
from text_spotting.workdir.config import load_config

pytestmark = pytest.mark.slow

RECIPES = Path(__file__).parents[1] / "configs" / "recipes"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the recipes expect, one small image each."""
    sample = image_of((20, 30, 110, 60))
    (tmp_path / "backgrounds").mkdir()
    cv2.imwrite(str(tmp_path / "backgrounds" / "photo.png"), sample.image)
    cv2.imwrite(str(tmp_path / "photo.png"), sample.image)
    for name in ("ic15_train", "mlt_pseudo", "ic03", "ic15_dev", "words"):
        write_dataset(tmp_path / f"{name}.json", [AnnotatedImage(tmp_path / "photo.png", 200, 100, sample.words)])
    monkeypatch.setenv("DATA_ROOT", str(tmp_path))
    monkeypatch.setenv("ANN_ROOT", str(tmp_path))
    return tmp_path


def load(name: str) -> Any:
    init_default_scope("mmdet")
    return load_config(RECIPES / name)


def test_the_recogniser_stage_trains_what_the_spotter_loads(data: Path) -> None:
    config = load("lite_recogniser.py")
    crops = DATASETS.build(config.train_dataloader.dataset)
    item = crops[0]
    assert item["inputs"].shape == (3, 32, 96)
    weights = build_network(config).state_dict()
    spotter = build_network(load("lite_detector.py")).state_dict()
    shared = {name for name in spotter if name.startswith("roi_head.text_head")}
    assert {name: weights[name].shape for name in shared} == {name: spotter[name].shape for name in shared}


def test_the_detector_stage_mixes_photos_and_rendered_images(data: Path) -> None:
    dataset = DATASETS.build(load("lite_detector.py").train_dataloader.dataset)
    shapes = {tuple(dataset[index]["inputs"].shape) for index in range(12)}
    assert shapes == {(3, 672, 960)}
    assert len(dataset.sources) == 4


@pytest.mark.parametrize(("share", "sources"), [("0", {"PhotoSource"}), ("1", {"SyntheticSource"})])
def test_the_comparison_draws_from_what_it_is_told_alone(
    data: Path, monkeypatch: pytest.MonkeyPatch, share: str, sources: set[str]
) -> None:
    monkeypatch.setenv("SYNTHETIC", share)
    assert load("comparison_recogniser.py").train_dataloader.dataset.real_share == 1 - float(share)
    dataset = DATASETS.build(load("comparison_detector.py").train_dataloader.dataset)
    rng = np.random.default_rng(0)
    drawn = {type(dataset.sources[dataset._choose(index, rng)[0]]).__name__ for index in range(20)}
    assert drawn == sources


def test_data_set_configs_of_recipes_name_known_readers() -> None:
    for path in RECIPES.glob("*.json"):
        assert all(entry["name"] in READERS for entry in json.loads(path.read_text())), path.name
