"""How fast a network trains, and where the time goes."""

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from mmengine.config import Config

from text_spotting.data.dataset import SyntheticSource
from text_spotting.data.packing import pack
from text_spotting.engine.torch_spotter import build_network


@dataclass
class Speed:
    """Seconds an iteration takes, in all and by part."""

    seconds: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.parts[part] = self.parts.get(part, 0.0) + time.perf_counter() - started

    def finish(self, iterations: int) -> "Speed":
        """Turn totals into means."""
        self.parts = {part: seconds / iterations for part, seconds in self.parts.items()}
        self.seconds = sum(self.parts.values())
        return self


def stock_setting(config: Config) -> Config:
    """The same network as mmdet's Mask R-CNN trains it: all stages, its proposals, samples and samplers, one look."""
    stock = copy.deepcopy(config)
    if "frozen_stages" in stock.model.backbone:
        stock.model.backbone.frozen_stages = 0
    stock.model.train_cfg.rpn_proposal.update(nms_pre=2000, max_per_img=1000)
    rcnn, roi_head = stock.model.train_cfg.rcnn, stock.model.roi_head
    rcnn.sampler = {
        "type": "RandomSampler",
        "num": 512,
        "pos_fraction": 0.25,
        "neg_pos_ub": -1,
        "add_gt_as_proposals": True,
    }
    stock.model.test_cfg.rcnn.refinements = 0
    for extractor in (roi_head.bbox_roi_extractor, roi_head.mask_roi_extractor):
        extractor.roi_layer.sampling_ratio = 0
    if "text_sampler" in rcnn:
        rcnn.text_sampler.num = 128
    else:
        rcnn.words_read = 128
    return stock


def time_training(config: Config, batch_size: int, size: tuple[int, int], iterations: int, mixed: bool) -> Speed:
    """Train on rendered images and time the parts of an iteration, after one that does not count.

    Drawing or loading images is not timed: in training, other processes do it meanwhile.

    Args:
        size: width, height of the images.
        mixed: channels last and bfloat16, as mixed precision trains on a CPU; else plain float32.
    """
    torch.manual_seed(0)
    network: Any = build_network(config).train()
    if mixed:
        network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD((p for p in network.parameters() if p.requires_grad), lr=1e-4)
    source, rng = SyntheticSource(length=batch_size, size=size, words=(12, 12)), np.random.default_rng(0)
    speed = Speed()
    for iteration in range(iterations + 1):
        packed = [pack(source.draw(index, rng)) for index in range(batch_size)]
        _iterate(network, packed, optimizer, speed if iteration else Speed(), mixed)
    return speed.finish(iterations)


def _iterate(network: Any, packed: list[dict[str, Any]], optimizer: Any, speed: Speed, mixed: bool) -> None:
    batch = {key: [item[key] for item in packed] for key in packed[0]}
    precision = torch.autocast("cpu", dtype=torch.bfloat16) if mixed else nullcontext()
    data = network.data_preprocessor(batch, training=True)
    with precision:
        with speed.timed("backbone and FPN"):
            x = network.extract_feat(data["inputs"])
        with speed.timed("proposals, heads, losses"):
            total = _total_loss(network, x, data["data_samples"])
    with speed.timed("backward"):
        total.backward()
    with speed.timed("optimizer"):
        optimizer.step()
        optimizer.zero_grad()


def _total_loss(network: Any, x: Any, samples: Any) -> torch.Tensor:
    losses, proposals = network.rpn_head.loss_and_predict(x, samples, proposal_cfg=network.train_cfg.rpn_proposal)
    losses.update(network.roi_head.loss(x, proposals, samples))
    return network.parse_losses(losses)[0]
