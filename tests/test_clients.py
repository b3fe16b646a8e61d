"""Clients that know nothing but docs/clients.md spot the words that we spot."""

import json
import os
import runpy
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from sample_graphs import MANIFEST
from small_networks import small_network

from text_spotting.export.export import ExportOptions, export, plain_manifest
from text_spotting.export.verify import sample_image
from text_spotting.preprocess import prepare
from text_spotting.runtime.spotter import Spotter

CLIENTS = Path(__file__).parents[1] / "examples" / "clients"
NODE_MODULES = "TEXT_SPOTTING_NODE_MODULES"
"""Folder with onnxruntime-node; without it the test installs the package."""
ORT_NODE = "onnxruntime-node@1.21.0"
"""The last whose package holds the CPU's library; later ones fetch it while they install."""


@pytest.fixture(scope="module", params=["text-spotting-0003-lite"])
def exported(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("client")
    config, network = small_network(request.param)
    export(network, plain_manifest(config, (192, 96)), folder, ExportOptions(openvino=False), log=lambda _: None)
    cv2.imwrite(str(folder / "photo.ppm"), PHOTO)
    return folder


PHOTO = cv2.resize(sample_image(), (192, 96), interpolation=cv2.INTER_AREA)
"""Of the input's size: networks with random weights read something else from pixels that are one level brighter."""


def ours(folder):
    spotter = Spotter(folder)
    spotter.manifest = replace(spotter.manifest, recognizer="")  # the client reads by encoder and decoder alone
    words = spotter(PHOTO)
    return [word.text for word in words], [word.score for word in words], spotter.engine.detect(PHOTO).boxes[:, :4]


def assert_ours(folder, printed):
    found = [json.loads(line) for line in printed.splitlines()]
    texts, scores, boxes = ours(folder)
    assert [word["text"] for word in found] == texts
    assert any(texts), "random weights spell something"
    assert [word["score"] for word in found] == pytest.approx(scores, abs=2e-3)
    assert np.array([word["box"] for word in found]) == pytest.approx(boxes, abs=0.3)


def test_numpy_and_onnxruntime_are_enough(exported):
    command = [sys.executable, "-S", "-c", _ONLY_THESE, str(CLIENTS / "spot.py"), str(exported), "photo.ppm"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=exported)
    assert ended.returncode == 0, ended.stderr
    assert_ours(exported, ended.stdout)


def test_the_client_prepares_photos_of_other_sizes_as_we_do():
    client = runpy.run_path(str(CLIENTS / "spot.py"))
    photo = np.random.default_rng(0).integers(0, 256, (50, 90, 3), np.uint8)
    for keep_aspect in (False, True):
        manifest = replace(MANIFEST, input_size=(48, 64), keep_aspect=keep_aspect, embedded=False)
        wanted, wanted_scale = prepare(photo, manifest)
        found, scale = client["prepare"](photo[:, :, ::-1], json.loads(manifest.to_json()))
        assert scale == wanted_scale
        assert np.abs(found - wanted).max() <= 1 / min(manifest.std), "a level, as OpenCV rounds in its own way"


_ONLY_THESE = f"""
import runpy, sys
sys.path += {[path for path in sys.path if path.endswith("site-packages")]!r}
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {{"cv2", "openvino", "PIL", "scipy", "text_spotting", "torch"}}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocker())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="session")
def node_modules(tmp_path_factory):
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed")
    if given := os.environ.get(NODE_MODULES):
        return Path(given)
    folder = tmp_path_factory.mktemp("node")
    # The script that it would run downloads GPU libraries.
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", ORT_NODE]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ended.returncode:
        pytest.skip(f"npm has no way out: {ended.stderr[-200:]}")
    return folder / "node_modules"


@pytest.mark.slow
def test_onnxruntime_node_is_enough(exported, node_modules, tmp_path):
    shutil.copy(CLIENTS / "spot.mjs", tmp_path)
    (tmp_path / "node_modules").symlink_to(node_modules)
    command = ["node", "spot.mjs", str(exported), str(exported / "photo.ppm")]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert_ours(exported, ended.stdout)
