"""Training the detector on one card: views of images that lie there, real and rendered."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor, nn

from text_spotting.engine.optim import bfloat16_is_fast
from text_spotting.engine.torch_spotter import build_network
from text_spotting.errors import UserError
from text_spotting.gpu.course import MOMENTUM, Course, Tally, begin, by_rate
from text_spotting.gpu.feed import take_blocks, wait_for
from text_spotting.gpu.light import relight
from text_spotting.gpu.losses import detector_losses
from text_spotting.gpu.shards import Packed, read_shard
from text_spotting.gpu.views import Card, View, ViewOptions, choose, show
from text_spotting.workdir.config import complete

LOGGER = logging.getLogger(__name__)
SHARES = {"ic15": 0.42, "mlt": 0.25, "ic03": 0.08, "rendered": 0.25}
"""How often a view is taken of each source's images, as far as there are any."""
OTHER_SHARE = 0.1
"""The same of any other source."""


@dataclass(frozen=True)
class Plan:
    """A detector's training.

    Attributes:
        seconds: how long.
        batch: views a step.
        rate: highest learning rate, of the heads; the trunk has a fifth, the pyramid two fifths.
        kept: rendered scenes that are held on the card; the oldest give way.
        light: share of views that each change of light befalls.
        seed: of all random choices.
        momentum: see ``Course``.
        partial_weights: let the snapshot to begin with lack parts, which then begin at random.
        view: how views are chosen.
    """

    seconds: float
    batch: int = 24
    rate: float = 6e-4
    kept: int = 3000
    light: float = 0.35
    seed: int = 0
    momentum: float = MOMENTUM
    partial_weights: bool = False
    view: ViewOptions = field(default_factory=ViewOptions)


class Gallery:
    """Images on the card, by source."""

    def __init__(self, shards: Path, scenes: Path, kept: int, device: torch.device) -> None:
        self.shards, self.scenes, self.kept, self.device = shards, scenes, kept, device
        self.cards: dict[str, list[Card]] = {"rendered": []}
        self.seen: set[str] = set()
        self.next = 0

    def refill(self) -> None:
        """Take in shards that have arrived and a few blocks of rendered scenes."""
        for path in sorted(self.shards.glob("photos_*.zip")):
            if path.name in self.seen:
                continue
            self.seen.add(path.name)
            for packed in read_shard(path):
                self.cards.setdefault(packed.source.partition("@")[0], []).append(self._card(packed))
            LOGGER.info("took in %s: %s", path.name, self.held())
        for packed in take_blocks(self.scenes, 8):
            self._replace(self._card(packed))

    def wait(self) -> None:
        """Until there is anything to learn from."""
        wait_for(lambda: any(self.cards.values()), self.refill, f"images in {self.shards} or rendered ones")

    def held(self) -> str:
        """How many images there are of each source."""
        return ", ".join(f"{len(cards)} {name}" for name, cards in self.cards.items())

    def _replace(self, card: Card) -> None:
        rendered = self.cards["rendered"]
        if len(rendered) < self.kept:
            rendered.append(card)
        else:
            rendered[self.next] = card
        self.next = (self.next + 1) % self.kept

    def _card(self, packed: Packed) -> Card:
        image = torch.from_numpy(np.ascontiguousarray(packed.image[:, :, ::-1].transpose(2, 0, 1))).to(self.device)
        own = packed.source.partition("@")[2]
        width, height = (int(side) for side in own.split("x")) if own else packed.image.shape[1::-1]
        stretch = (width / image.shape[2], height / image.shape[1])
        return Card(image, packed.polygons, np.asarray(packed.ignore, np.bool_), stretch)

    def draw(self, count: int, rng: np.random.Generator) -> list[Card]:
        """Images at random, sources by ``SHARES``."""
        names = [name for name, cards in self.cards.items() if cards]
        shares = np.array([SHARES.get(name, OTHER_SHARE) for name in names])
        chosen = rng.choice(len(names), count, p=shares / shares.sum())
        return [self.cards[names[which]][rng.integers(len(self.cards[names[which]]))] for which in chosen]


def prepare(config: Config, size: tuple[int, int]) -> Config:
    """A template's configuration, changed in place: the trunk sees views of width, height ``size`` as they are.

    Raises:
        UserError: the configuration is not a light template's, or the size is of no use to it.
    """
    if "downscale" not in config:
        raise UserError("this trains the detector of a light template; the configuration has no downscale")
    config.update(downscale=1, input_size=size)
    complete(config)
    config.model.backbone.update(frozen_stages=0, pretrained=False)
    for name in ("bbox_roi_extractor", "mask_roi_extractor"):
        config.model.roi_head[name].roi_layer.use_torchvision = find_spec("torchvision") is not None
    config.model.train_cfg.rpn_proposal.max_per_img = 250
    return config


def train_detector(
    config: Config, weights: Path, shards: Path, scenes: Path, state: Path, plan: Plan, device: torch.device
) -> nn.Module:
    """Train from a snapshot; return the moving average of the network, text head included, which does not learn.

    Args:
        config: a template's, with a ``TextBackbone``; it is changed.
        shards: folder in which ``photos_*.zip`` lie or arrive.
        scenes: folder that renderers fill.
        state: see ``Course``.

    Raises:
        UserError: a snapshot, state or shard is missing, damaged, or of another network; the snapshot lacks parts.
    """
    torch.manual_seed(plan.seed)
    network: Any = build_network(prepare(config, plan.view.size)).to(device).train()
    begin(network, weights, plan.partial_weights)
    network.roi_head.text_head.requires_grad_(False)
    network.to(memory_format=torch.channels_last)
    rates = [("backbone", plan.rate * 0.2), ("neck.lateral", plan.rate * 0.4), ("neck.smooth", plan.rate * 0.4)]
    course = Course(network, by_rate(network, rates, plan.rate), plan.seconds, state, plan.momentum)
    gallery = Gallery(shards, scenes, plan.kept, device)
    gallery.wait()
    normalise = normaliser(config, device)
    rng = np.random.default_rng((plan.seed, course.steps))
    tally = Tally(_TOLD, plan.batch, "views")
    half = torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda" or bfloat16_is_fast())

    def chosen() -> tuple[list[Card], list[View]]:
        cards = gallery.draw(plan.batch, rng)
        return cards, [choose(card, plan.view, rng) for card in cards]

    with ThreadPoolExecutor(1) as ahead:  # views are chosen on the CPU while the card is at work
        coming = ahead.submit(chosen)
        for share in course:
            cards, views = coming.result()
            if course.steps % _TOLD == 0:
                gallery.refill()
            coming = ahead.submit(chosen)
            images, truth = show(cards, views, plan.view.size)
            images = normalise(relight(images, plan.light))
            with half:
                losses = detector_losses(network, images, truth)
            course.step(torch.stack(list(losses.values())).sum())
            tally(share, course.steps, losses, gallery.held())
    return course.average


_TOLD = 40
"""Steps between two lines of the log and two looks for new images."""


def normaliser(config: Config, device: torch.device) -> Callable[[Tensor], Tensor]:
    """What turns (B, 3, H, W) RGB 0..255 into what the network takes."""
    settings = config.model.data_preprocessor
    mean, std = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (settings.mean, settings.std))
    return lambda images: ((images - mean) / std).contiguous(memory_format=torch.channels_last)
