"""Timing of training: what is timed, and what the stock setting changes."""

from typing import Any

import pytest
import torch
from small_networks import TEMPLATES

from text_spotting.cli.main import run_tool
from text_spotting.engine.optim import bfloat16_is_fast
from text_spotting.engine.speed import Speed, stock_setting, time_training
from text_spotting.workdir.config import load_config

pytestmark = pytest.mark.slow

CONFIG = TEMPLATES / "text-spotting-0003-lite" / "model.py"


def test_the_parts_of_an_iteration_add_up() -> None:
    config = load_config(CONFIG)
    speed = time_training(config, batch_size=1, size=(192, 96), iterations=1, mixed=False)
    assert set(speed.parts) == {"backbone and FPN", "proposals, heads, losses", "backward", "optimizer"}
    assert min(speed.parts.values()) > 0
    assert speed.seconds == pytest.approx(sum(speed.parts.values()))


def test_the_stock_setting_trains_all_stages_on_many_samples_and_leaves_the_template_alone() -> None:
    config = load_config(CONFIG)
    stock = stock_setting(config)
    assert (stock.model.backbone.frozen_stages, config.model.backbone.frozen_stages) == (0, 1)
    assert (stock.model.train_cfg.rcnn.sampler.num, config.model.train_cfg.rcnn.sampler.num) == (512, 128)
    assert stock.model.train_cfg.rcnn.sampler.type == "RandomSampler"
    assert stock.model.train_cfg.rpn_proposal.max_per_img == 1000
    assert (stock.model.test_cfg.rcnn.refinements, config.model.test_cfg.rcnn.refinements) == (0, 1)
    assert stock.model.roi_head.mask_roi_extractor.roi_layer.sampling_ratio == 0


@pytest.mark.parametrize(
    ("machine", "supported", "fast"),
    [
        ("x86_64", set(), False),
        ("x86_64", {"oneDNN"}, False),  # AVX-512 alone: oneDNN imitates bfloat16
        ("x86_64", {"oneDNN", "AVX-512"}, True),
        ("AMD64", {"AMX"}, True),
        ("aarch64", {"oneDNN"}, True),
        ("aarch64", {"AVX-512"}, False),
    ],
)
def test_bfloat16_is_fast_where_the_processor_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, machine: str, supported: set[str], fast: bool
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: "AVX-512" in supported)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: "AMX" in supported)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: "oneDNN" in supported)
    assert bfloat16_is_fast() == fast


@pytest.mark.parametrize(("fast", "timed"), [(True, [True, False]), (False, [False, False])])
def test_the_benchmark_trains_in_bfloat16_where_training_would(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fast: bool, timed: list[bool]
) -> None:
    mixed: list[bool] = []

    def time_it(*arguments: Any) -> Speed:
        mixed.append(arguments[-1])
        return Speed(2.0 if arguments[-1] else 3.0, {"all": 1.0})

    monkeypatch.setattr("text_spotting.engine.speed.time_training", time_it)
    monkeypatch.setattr("text_spotting.engine.optim.bfloat16_is_fast", lambda: fast)
    assert run_tool("benchmark", ["train", "--config", str(CONFIG), "--stock"]) == 0
    assert mixed == timed
    said = capsys.readouterr().out
    assert said.startswith("template, --amp: 2.00" if fast else "template, float32: 1.33")
    assert f"trains {1.5 if fast else 1:.2f} times as many" in said
