"""Training the reader on one card: words at their own width for CTC, squeezed ones for the attention decoder as well."""

import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from torch import Tensor, nn

from text_spotting.engine.checkpoints import read_snapshot
from text_spotting.gpu.course import Course, by_rate
from text_spotting.gpu.feed import take_blocks
from text_spotting.gpu.light import relight
from text_spotting.gpu.shards import read_shard
from text_spotting.gpu.words import Jitter, WordPool

LOGGER = logging.getLogger(__name__)
REAL = {"ic15": 0.40, "iiit5k": 0.15, "ic03": 0.15, "mlt": 0.30}
"""How real words are drawn, by source."""


@dataclass(frozen=True)
class Plan:
    """A reader's training.

    Attributes:
        seconds: how long.
        chunk: words of about one width that go through together.
        chunks: of them in a step.
        rate: highest learning rate of the trunk and the mixers; the classifier has twice, the decoder five times as much.
        real: share of real words.
        capacity: rendered words held on the card.
        light: share of words that each change of light befalls.
        seed: of all random choices.
        stretch: least and greatest width of a word in the input, over its width at the input's height.
        squeezed: size of the attention decoder's words: height, width.
    """

    seconds: float
    chunk: int = 256
    chunks: int = 3
    rate: float = 2e-4
    real: float = 0.5
    capacity: int = 250_000
    light: float = 0.3
    seed: int = 0
    stretch: tuple[float, float] = (1.0, 1.6)
    squeezed: tuple[int, int] = (32, 96)


class Library:
    """Real and rendered words on the card."""

    def __init__(self, shards: Path, blocks: Path, plan: Plan, device: torch.device) -> None:
        self.shards, self.blocks, self.plan, self.device = shards, blocks, plan, device
        self.rendered = WordPool(plan.capacity, device)
        self.real: dict[str, WordPool] = {}
        self.seen: set[str] = set()

    def refill(self) -> None:
        """Take in shards that have arrived and some blocks of rendered words."""
        for path in sorted(self.shards.glob("words_*.zip")):
            if path.name not in self.seen:
                self.seen.add(path.name)
                self._take_in(path)
        self.rendered.add(take_blocks(self.blocks, 6))

    def wait(self) -> None:
        """Until there is anything to learn from."""
        while not (self.real or self.rendered.held):
            self.refill()
            time.sleep(0.2)

    def _take_in(self, path: Path) -> None:
        words = list(read_shard(path))
        for source in {word.source for word in words}:
            own = [word for word in words if word.source == source]
            pool = WordPool(len(own), self.device)
            pool.add(own)
            self.real[source if source not in self.real else f"{source} {path.stem}"] = pool
        LOGGER.info("took in %s: %s", path.name, {name: pool.held for name, pool in self.real.items()})

    def chunks(self, count: int, chunks: int, rng: np.random.Generator) -> list[tuple[WordPool, Tensor, float]]:
        """Rows of ``chunks`` times ``count`` words and their usual width over height, words of like width together."""
        pools = []
        for _ in range(chunks):
            pool = self._pool(rng)
            rows = rng.integers(pool.held, size=4 * count)
            aspects = pool.aspects[rows]
            order = np.argsort(aspects)
            # A window somewhere in the order of widths: neighbours are alike.
            start = int(rng.integers(len(rows) - count + 1))
            window = order[start : start + count]
            pools.append((pool, torch.from_numpy(rows[window]).to(self.device), float(np.median(aspects[window]))))
        return pools

    def _pool(self, rng: np.random.Generator) -> WordPool:
        if self.real and (rng.random() < self.plan.real or not self.rendered.held):
            names = list(self.real)
            shares = np.array([REAL[name.split()[0]] for name in names])
            return self.real[names[rng.choice(len(names), p=shares / shares.sum())]]
        return self.rendered


class Reader(nn.Module):
    """The text head alone, with its weights' names in the spotter."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.roi_head = nn.ModuleDict({"text_head": MODELS.build(config.model.roi_head.text_head)})

    @property
    def head(self) -> Any:
        return self.roi_head["text_head"]


def train_reader(
    config: Config, weights: Path, shards: Path, blocks: Path, state: Path, plan: Plan, device: torch.device
) -> nn.Module:
    """Train from a snapshot and return the moving average of the text head."""
    torch.manual_seed(plan.seed)
    import text_spotting.models  # noqa: F401  (registers the head)

    network = Reader(config).to(device).train()
    missing = network.load_state_dict(read_snapshot(weights)["state_dict"], strict=False).missing_keys
    LOGGER.info("begins without weights: %s", missing)
    rates = [("roi_head.text_head.encoder", plan.rate), ("roi_head.text_head.ctc", 2 * plan.rate)]
    course = Course(network, by_rate(network, rates, 5 * plan.rate), plan.seconds, state, weight_decay=0.02)
    library = Library(shards, blocks, plan, device)
    library.wait()
    settings = config.model.data_preprocessor
    mean, std = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (settings.mean, settings.std))
    rng, jitter = np.random.default_rng((plan.seed, course.steps)), Jitter()
    told, sums = time.monotonic(), torch.zeros(2, device=device)
    half = torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda")
    for share in course:
        losses = []
        for index, (pool, rows, aspect) in enumerate(library.chunks(plan.chunk, plan.chunks, rng)):
            squeezed = index == 0
            width = plan.squeezed[1] if squeezed else own_width(aspect, math.exp(rng.uniform(*np.log(plan.stretch))))
            crops = pool.cut(rows, jitter(pool.frames[rows]), width)
            crops = (relight(coarsen(crops, rng), plan.light) - mean) / std
            with half:
                losses.append(network.head.ctc_loss(crops, pool.texts[rows]))
                if squeezed:
                    attention = network.head.attention_loss(crops, pool.texts[rows])
        ctc = torch.stack(losses).mean()
        loss = ctc + attention
        if not course.step(loss, most=5.0):
            LOGGER.warning("step %d: losses are not finite, left out", course.steps)
        sums += torch.stack([ctc.detach(), attention.detach()])
        if course.steps % 25 == 0:
            library.refill()
        if course.steps % 100 == 0:
            passed, told = time.monotonic() - told, time.monotonic()
            means = (sums / 100).tolist()
            text = "%3.0f %% step %d, %.1f words/s: ctc %.4f, attention %.4f, %d rendered words held"
            words = 100 * plan.chunk * plan.chunks / passed
            LOGGER.info(text, 100 * share, course.steps, words, *means, library.rendered.held)
            sums.zero_()
    return course.average


def own_width(aspect: float, stretch: float) -> int:
    """Width of the input, a multiple of 16 from 32 to 320, for words ``aspect`` times as wide as high."""
    return int(np.clip(round(32 * aspect * stretch / 16) * 16, 32, 320))


def coarsen(crops: Tensor, rng: np.random.Generator) -> Tensor:
    """One chunk in three as words look that are 8 to 24 pixels high."""
    if rng.random() > 1 / 3:
        return crops
    factor = math.exp(rng.uniform(math.log(0.25), math.log(0.8)))
    size = [max(4, round(side * factor)) for side in crops.shape[2:]]
    small = nn.functional.interpolate(crops, size, mode="area")
    return nn.functional.interpolate(small, crops.shape[2:], mode="bilinear", align_corners=False)
