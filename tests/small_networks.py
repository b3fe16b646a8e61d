"""Networks of both templates with random weights, quick enough for tests."""

from functools import cache
from pathlib import Path
from typing import Any

import torch

from text_spotting.alphabet import START, STOP
from text_spotting.engine.torch_spotter import build_network
from text_spotting.workdir.config import load_config

TEMPLATES = Path(__file__).parents[1] / "model_templates" / "alphanumeric-text-spotting"
CONFIGS = sorted(TEMPLATES.glob("*/model.py"))
"""The ``model.py`` of every template."""
BOTH = ("text-spotting-0003", "text-spotting-0003-lite")


@cache
def small_network(name: str) -> tuple[Any, Any]:
    """A template's configuration and network, with a few proposals and words and all texts kept.

    Biases make every proposal a word, well clear of the threshold, and make the decoder spell.
    """
    torch.manual_seed(0)
    config = load_config(TEMPLATES / name / "model.py")
    config.text_thr = config.word_thr = 0.0
    config.model.test_cfg.rpn.update(nms_pre=40, max_per_img=20)
    config.model.test_cfg.rcnn.update(max_per_img=6)
    network: Any = build_network(config).eval()
    with torch.no_grad():
        network.roi_head.bbox_head.fc_cls.bias[0] += 2
        network.roi_head.text_head.decoder.out.bias[[START, STOP]] -= 2
    return config, network
