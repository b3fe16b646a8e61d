"""Timing of training: what is timed, and what the stock setting changes."""

import pytest
from small_networks import TEMPLATES

from text_spotting.engine.speed import stock_setting, time_training
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
