"""Real packages of others read what we write: they run in an environment of their own, which the test makes.

An environment at hand can be named with ``TEXT_SPOTTING_CLIENTS``: its Python.
"""

import json
import os
import shutil
import subprocess
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from text_spotting.annotations.cvat import write_cvat
from text_spotting.annotations.dataset_file import read_datasets, write_dataset
from text_spotting.annotations.records import AnnotatedImage

pytestmark = pytest.mark.slow

PYTHON = "TEXT_SPOTTING_CLIENTS"
PACKAGES = ["datumaro", "fiftyone", "label-studio-sdk", "pycocotools", "supervision"]
TOY = Path(__file__).parents[1] / "data" / "horizontal_text_detection"


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    if given := os.environ.get(PYTHON):
        return given
    folder = tmp_path_factory.mktemp("clients")
    venv.create(folder, with_pip=True)
    install: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "-q", *PACKAGES]
    ended = subprocess.run(install, capture_output=True, text=True, check=False)
    if ended.returncode:
        pytest.skip(f"pip has no way out: {ended.stderr[-200:]}")
    return str(folder / "bin" / "python")


@pytest.fixture(scope="module")
def images() -> list[AnnotatedImage]:
    return read_datasets(str(TOY / "annotation.json"), str(TOY))[:3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, images: list[AnnotatedImage]) -> Path:
    """The same three images as a CVAT task and as COCO."""
    root = tmp_path_factory.mktemp("written")
    copies = []
    for part in ("cvat/images", "coco/images", "coco/annotations"):
        (root / part).mkdir(parents=True)
    for image in images:
        for part in ("cvat", "coco"):
            shutil.copy(image.path, root / part / "images")
        path = root / "coco" / "images" / image.path.name
        copies.append(AnnotatedImage(path, image.width, image.height, image.words))
    write_cvat(root / "cvat" / "annotations.xml", copies)
    write_dataset(root / "coco" / "annotations" / "instances_val.json", copies, root / "coco" / "images")
    return root


@pytest.fixture
def ask(python: str, folder: Path) -> Callable[[str], Any]:
    def run(client: str) -> Any:
        script = Path(__file__).with_name("foreign_clients.py")
        clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        command: list[str | Path] = [python, script, client, folder]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, env=clean, cwd=folder)
        assert ended.returncode == 0, ended.stderr[-1000:]
        return json.loads(ended.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="module")
def texts(images: list[AnnotatedImage]) -> list[str]:
    return sorted(word.text for image in images for word in image.words)


def test_datumaro_reads_cvat_with_its_label_and_coco(ask: Callable[[str], Any], texts: list[str]) -> None:
    seen = ask("datumaro")
    assert seen["texts"] == seen["coco"] == texts
    assert seen["label"] == ["text", ["language", "legible", "text"]]


def test_fiftyone_parses_cvat_and_coco(ask: Callable[[str], Any], texts: list[str]) -> None:
    assert ask("fiftyone") == {"texts": texts, "coco": len(texts)}


def test_supervision_reads_coco(ask: Callable[[str], Any], images: list[AnnotatedImage]) -> None:
    wanted = sorted([round(float(side), 2) for side in word.box] for image in images for word in image.words)
    assert np.array(ask("supervision")["boxes"]) == pytest.approx(np.array(wanted), abs=0.02)


def test_pycocotools_draws_the_masks(ask: Callable[[str], Any], images: list[AnnotatedImage]) -> None:
    wanted = sorted(cv2.contourArea(word.polygon) for image in images for word in image.words)
    assert ask("pycocotools")["areas"] == pytest.approx(wanted, rel=0.05)


def test_label_studio_converts_coco(ask: Callable[[str], Any], texts: list[str]) -> None:
    assert ask("label_studio") == {"results": 2 * len(texts)}, "a box and a polygon for each word"
