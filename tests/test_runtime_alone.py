"""Exported models run where PyTorch and OpenMMLab are not installed."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from sample_graphs import save_ir, save_onnx

ROOT = Path(__file__).parents[1]

BLOCKED = """\
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "torchvision", "mmdet", "mmcv", "mmengine", "onnx", "nncf", "pydantic"}:
            raise ModuleNotFoundError(f"{name} is not installed here", name=name)

sys.meta_path.insert(0, Blocker())
"""

SPOT = """
import cv2
from text_spotting.runtime.spotter import Spotter
print([word.text for word in Spotter(sys.argv[1])(cv2.imread(sys.argv[2]))])
"""

VISUALIZE = """
from text_spotting.cli.main import run_tool
sys.exit(run_tool("visualize", sys.argv[1:]))
"""


def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BLOCKED + code, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def blue_image(folder: Path) -> Path:
    image = np.zeros((40, 80, 3), np.uint8)
    image[..., 0] = 255
    cv2.imwrite(str(folder / "blue.png"), image)
    return folder / "blue.png"


def test_the_blocker_blocks() -> None:
    assert "torch is not installed here" in run("import torch").stderr


@pytest.mark.slow
def test_ir_and_onnx_spot_words_without_torch(tmp_path: Path) -> None:
    for path in (save_ir(tmp_path), save_onnx(tmp_path)):
        ended = run(SPOT, path, blue_image(tmp_path))
        assert ended.stdout == "['ab', '']\n", ended.stderr


@pytest.mark.slow
def test_the_visualize_tool_runs_without_torch(tmp_path: Path) -> None:
    flags = ["--load-weights", save_ir(tmp_path), "--images", blue_image(tmp_path), "--output", tmp_path / "out"]
    annotations = ["--save-annotations", tmp_path / "a.json", "--save-json", tmp_path / "w.json", "--no-show"]
    ended = run(VISUALIZE, *flags, *annotations)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "out" / "blue.png").is_file()
