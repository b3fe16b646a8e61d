"""Clients that know nothing but docs/clients.md spot the words that we spot."""

import json
import os
import runpy
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sample_graphs import EXPORTED, MANIFEST, save_onnx
from small_networks import TEMPLATES, small_network

from text_spotting.annotations.dataset_file import read_dataset
from text_spotting.engine.torch_spotter import load_network
from text_spotting.export.export import ExportOptions, export, plain_manifest
from text_spotting.export.verify import sample_image
from text_spotting.frames import mask_frames
from text_spotting.image_files import read_image
from text_spotting.preprocess import prepare
from text_spotting.runtime import pipeline
from text_spotting.runtime.onnx_engine import OnnxEngine
from text_spotting.runtime.reading import read_pixels, stands
from text_spotting.runtime.spotter import Spotter
from text_spotting.words import FloatArray, Image
from text_spotting.workdir.config import load_config
from text_spotting.workdir.template import load_template

CLIENTS = Path(__file__).parents[1] / "examples" / "clients"
TOY = Path(__file__).parents[1] / "data" / "horizontal_text_detection"
NODE_MODULES = "TEXT_SPOTTING_NODE_MODULES"
"""Folder with onnxruntime-node; without it the test installs the package."""
ORT_NODE = "onnxruntime-node@1.21.0"
"""The last whose package holds the CPU's library; later ones fetch it while they install."""


@pytest.fixture(scope="module", params=["text-spotting-0003-lite"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("client")
    config, network = small_network(request.param)
    export(network, plain_manifest(config, (192, 96)), folder, ExportOptions(openvino=False), log=lambda _: None)
    cv2.imwrite(str(folder / "photo.ppm"), PHOTO)
    return folder


PHOTO = cv2.resize(sample_image(), (192, 96), interpolation=cv2.INTER_AREA)
"""Of the input's size: networks with random weights read something else from pixels that are one level brighter."""


def ours(folder: Path) -> tuple[list[str], list[float], FloatArray]:
    spotter = Spotter(folder)
    spotter.manifest = replace(spotter.manifest, recognizer="")  # the client reads by encoder and decoder alone
    words = spotter(PHOTO)
    return [word.text for word in words], [word.score for word in words], spotter.engine.detect(PHOTO).boxes[:, :4]


def assert_ours(folder: Path, printed: str) -> None:
    found = [json.loads(line) for line in printed.splitlines()]
    texts, scores, boxes = ours(folder)
    assert [word["text"] for word in found] == texts
    assert any(texts), "random weights spell something"
    assert [word["score"] for word in found] == pytest.approx(scores, abs=2e-3)
    assert np.array([word["box"] for word in found]) == pytest.approx(boxes, abs=0.3)


def run_client(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the client in Python, which can import numpy and onnxruntime only."""
    command = [sys.executable, "-S", "-c", _ONLY_THESE, str(CLIENTS / "spot.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_numpy_and_onnxruntime_are_enough(exported: Path) -> None:
    ended = run_client(exported, exported / "photo.ppm")
    assert ended.returncode == 0, ended.stderr
    assert_ours(exported, ended.stdout)


def striped() -> Image:
    """80x40, black, but for two blue stripes in the box of the sample detector's second word."""
    photo = np.zeros((40, 80, 3), np.uint8)
    photo[20:, 44:54, 0] = photo[20:, 64:74, 0] = 255
    return photo


def sample_model(folder: Path, recognizer: str) -> None:
    save_onnx(folder, recognizer)
    manifest = replace(EXPORTED, recognizer=recognizer, embedded=False).to_json().replace(".xml", ".onnx")
    (folder / "manifest.json").write_text(f'{{"onnx": {manifest}}}')
    cv2.imwrite(str(folder / "photo.ppm"), striped())


@pytest.mark.slow
def test_a_recognizer_reads_what_the_decoder_does_not(tmp_path: Path) -> None:
    sample_model(tmp_path, "r.onnx")
    by_decoder = run_client(tmp_path, tmp_path / "photo.ppm")
    by_recognizer = run_client("--recognizer", tmp_path, tmp_path / "photo.ppm")
    told = [json.loads(ended.stdout) for ended in (by_decoder, by_recognizer)]
    assert [word["text"] for word in told] == ["", "aa"]
    assert told[0]["box"] == told[1]["box"] == [40.0, 20.0, 80.0, 40.0]


def test_a_model_without_a_recognizer_says_so(tmp_path: Path) -> None:
    sample_model(tmp_path, "")
    ended = run_client("--recognizer", tmp_path, tmp_path / "photo.ppm")
    assert ended.returncode == 1
    assert ended.stderr == f"{tmp_path}: the model has no recognizer\n"


def test_the_client_reads_in_the_frames_that_we_read_in() -> None:
    rng, client = np.random.default_rng(0), runpy.run_path(str(CLIENTS / "spot.py"))
    places = np.stack(np.meshgrid(range(28), range(28)), axis=2) - 13.5
    masks: Any = []
    for _ in range(50):
        turn, sides = rng.uniform(0, np.pi), rng.uniform(2, 14, 2)
        axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        masks.append((np.abs(places @ axes) < sides).all(axis=2))
    masks = np.array([*masks, np.zeros((28, 28))], np.float32)
    boxes = np.tile(np.array([30, 20, 90, 50, 0.9], np.float32), (51, 1))
    boxes[:, 2:4] += rng.uniform(0, 60, (51, 2))
    wanted = mask_frames(boxes[:, :4], masks, 0.5)
    assert client["reading_frames"](boxes, masks, 0.5) == pytest.approx(wanted, abs=1e-3)


@pytest.mark.slow
def test_the_client_reads_upright_words_from_pixels_as_we_do(tmp_path: Path) -> None:
    template = load_template(TEMPLATES / "text-spotting-0003-lite" / "template.yaml")
    folder = TEMPLATES / "text-spotting-0003-lite"
    config = load_config(folder / "model.py")
    network = load_network(config, folder / template.weights.source)  # type: ignore[union-attr]
    export(network, plain_manifest(config), tmp_path, ExportOptions(openvino=False), log=lambda _: None)
    engine = OnnxEngine(tmp_path / "model.onnx")
    client = runpy.run_path(str(CLIENTS / "spot.py"))
    recognizer = client["onnxruntime"].InferenceSession(tmp_path / engine.manifest.recognizer)
    words = 0
    for image in read_dataset(TOY / "annotation.json", TOY)[:3]:
        pixels = read_image(image.path)
        frames = pipeline.find(engine, *pipeline.prepare(engine, pixels)).frames
        frames = frames[~stands(frames)]
        ours = read_pixels(engine, pixels, frames).readings
        manifest = json.loads(engine.manifest.to_json())
        texts, scores = client["recognize_words"](recognizer, pixels[:, :, ::-1], frames, manifest)
        assert scores == pytest.approx([reading.score for reading in ours], abs=0.05)
        certain = [index for index, reading in enumerate(ours) if reading.score > 0.5]
        assert [texts[index] for index in certain] == [ours[index].text for index in certain]
        words += len(certain)
    assert words > 20


def test_the_client_prepares_photos_of_other_sizes_as_we_do() -> None:
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
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
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
def test_onnxruntime_node_is_enough(exported: Path, node_modules: Path, tmp_path: Path) -> None:
    shutil.copy(CLIENTS / "spot.mjs", tmp_path)
    (tmp_path / "node_modules").symlink_to(node_modules)
    command = ["node", "spot.mjs", str(exported), str(exported / "photo.ppm")]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert_ours(exported, ended.stdout)
