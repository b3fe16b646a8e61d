"""Training the reader on one card: words at their own width for CTC, squeezed ones for the attention decoder, too."""

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import Tensor, nn

import text_spotting.models  # noqa: F401  (registers the head)
from text_spotting.alphabet import Alphabet
from text_spotting.errors import UserError
from text_spotting.frames import FrameJitter
from text_spotting.gpu.course import MOMENTUM, Course, Tally, begin, by_rate
from text_spotting.gpu.detector import normaliser
from text_spotting.gpu.feed import take_blocks, wait_for
from text_spotting.gpu.light import relight
from text_spotting.gpu.packing import readable
from text_spotting.gpu.shards import read_shard
from text_spotting.gpu.words import Jitter, WordPool
from text_spotting.models.ctc import characters
from text_spotting.models.ppocr import RECOGNISER, classifier_rows, model_file
from text_spotting.runtime.reading import HEIGHT, WIDTHS

LOGGER = logging.getLogger(__name__)
REAL = {"ic15": 0.40, "iiit5k": 0.15, "ic03": 0.15, "mlt": 0.30}
"""How real words are drawn, by source."""
OTHER_REAL = 0.1
"""The same of any other source."""


@dataclass(frozen=True)
class Plan:
    """A reader's training.

    Attributes:
        seconds: how long.
        chunk: words of about one width that go through together.
        chunks: of them in a step.
        rate: highest learning rate of the encoder; the classifier has twice, the decoder five times as much.
        real: share of real words.
        capacity: rendered words held on the card.
        light: share of words that each change of light befalls.
        seed: of all random choices.
        stretch: least and greatest width of a word in the input, over its width at the input's height.
        frozen: first stages of the encoder's trunk that stay as they are; each makes a step shorter.
        momentum: see ``Course``.
        partial_weights: let the snapshot to begin with lack parts, which then begin at random.
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
    frozen: int = 0
    momentum: float = MOMENTUM
    partial_weights: bool = False


class Library:
    """Real and rendered words on the card, as far as the alphabet can write them."""

    def __init__(self, shards: Path, blocks: Path, alphabet: Alphabet, plan: Plan, device: torch.device) -> None:
        self.shards, self.blocks, self.alphabet, self.plan, self.device = shards, blocks, alphabet, plan, device
        self.rendered = WordPool(plan.capacity, alphabet, device)
        self.real: dict[str, WordPool] = {}
        self.seen: set[str] = set()

    def refill(self) -> None:
        """Take in shards that have arrived and some blocks of rendered words."""
        for path in sorted(self.shards.glob("words_*.zip")):
            if path.name not in self.seen:
                self.seen.add(path.name)
                self._take_in(path)
        self.rendered.add(readable(take_blocks(self.blocks, 6), self.alphabet))

    def wait(self) -> None:
        """Until there is anything to learn from."""
        wait_for(lambda: bool(self.real or self.rendered.held), self.refill, f"words in {self.shards} or rendered ones")

    def held(self) -> str:
        """How many words there are of each source."""
        pools = {**self.real, "rendered": self.rendered}
        return ", ".join(f"{pool.held} {name}" for name, pool in pools.items())

    def _take_in(self, path: Path) -> None:
        packed = list(read_shard(path))
        words = list(readable(packed, self.alphabet))
        for source in sorted({word.source for word in words}):
            own = [word for word in words if word.source == source]
            pool = WordPool(len(own), self.alphabet, self.device)
            pool.add(own)
            self.real[source if source not in self.real else f"{source} {path.stem}"] = pool
        foreign = len(packed) - len(words)
        left_out = f"; left out {foreign} words that the alphabet cannot write" if foreign else ""
        LOGGER.info("took in %s: %s%s", path.name, self.held(), left_out)

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
            shares = np.array([REAL.get(name.split()[0], OTHER_REAL) for name in names])
            return self.real[names[rng.choice(len(names), p=shares / shares.sum())]]
        return self.rendered


class Reader(nn.Module):
    """The text head alone, with its weights' names in the spotter.

    Raises:
        UserError: the configuration is not a light template's.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        if "word_size" not in config:
            raise UserError("this trains the reader of a light template; the configuration has no word_size")
        init_default_scope("mmdet")
        self.roi_head = nn.ModuleDict({"text_head": MODELS.build(config.model.roi_head.text_head)})

    @property
    def head(self) -> Any:
        """The ``TextRecognitionHead``."""
        return self.roi_head["text_head"]


def first_reader(config: Config, others: Path | None = None) -> Reader:
    """A reader with the weights of PP-OCRv6's recogniser: encoder, and the classifier's rows for what is printable.

    Args:
        config: a template's whose text head has a ``LightSVTREncoder`` and a classifier for CTC.
        others: snapshot that gives the rest, the decoder and the places it attends to; at random without one.

    Raises:
        UserError: rapidocr, which has the weights, is not installed, or the snapshot is of another network.
    """
    settings = config.model.data_preprocessor
    config.model.roi_head.text_head.encoder.update(pretrained=True, mean=settings.mean, std=settings.std)
    reader = Reader(config)
    if others is None:
        LOGGER.info("the decoder and the places that it attends to begin at random")
    else:
        begin(reader, others, partial=True)
    reader.head.encoder.init_weights()
    rows = classifier_rows(model_file(RECOGNISER), characters(reader.head.alphabet))
    with torch.no_grad():
        for parameter, values in zip((reader.head.ctc.linear.weight, reader.head.ctc.linear.bias), rows, strict=True):
            parameter.copy_(values)
    LOGGER.info("encoder and classifier begin as PP-OCRv6's")
    return reader


def train_reader(
    config: Config, weights: Path, shards: Path, blocks: Path, state: Path, plan: Plan, device: torch.device
) -> nn.Module:
    """Train from a snapshot and return the moving average of the text head; see ``train_detector``."""
    torch.manual_seed(plan.seed)
    network = Reader(config).to(device).train()
    begin(network, weights, plan.partial_weights)
    freeze(network, plan.frozen)
    rates = [("roi_head.text_head.encoder", plan.rate), ("roi_head.text_head.ctc", 2 * plan.rate)]
    groups = by_rate(network, rates, 5 * plan.rate)
    course = Course(network, groups, plan.seconds, state, plan.momentum, weight_decay=0.02)
    library = Library(shards, blocks, network.head.alphabet, plan, device)
    library.wait()
    normalise = normaliser(config, device)
    jitter = Jitter(FrameJitter.of(config.model.roi_head.get("frame_jitter")))
    rng = np.random.default_rng((plan.seed, course.steps))
    tally = Tally(100, plan.chunk * plan.chunks, "words")
    half = torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda")
    for share in course:
        ctc = []
        for index, (pool, rows, aspect) in enumerate(library.chunks(plan.chunk, plan.chunks, rng)):
            squeezed = index == 0
            size = config.word_size if squeezed else own_size(aspect, math.exp(rng.uniform(*np.log(plan.stretch))))
            crops = pool.cut(rows, jitter(pool.frames[rows]), size)
            crops = normalise(relight(coarsen(crops, rng), plan.light))
            with half:
                if squeezed:
                    attention, by_columns = network.head.both_losses(crops, pool.texts[rows])
                else:
                    by_columns = network.head.ctc_loss(crops, pool.texts[rows])
            ctc.append(by_columns)
        losses = {"ctc": torch.stack(ctc).mean(), "attention": attention}
        course.step(losses["ctc"] + losses["attention"], most=5.0)
        tally(share, course.steps, losses, library.held())
        if course.steps % 25 == 0:
            library.refill()
    return course.average


def freeze(reader: Reader, count: int) -> None:
    """Let the first stages of the encoder's trunk learn nothing.

    Raises:
        UserError: it does not have so many.
    """
    stages = reader.head.encoder.trunk.stages
    if not 0 <= count <= len(stages):
        raise UserError(f"frozen {count}: must be from 0 to {len(stages)}, the stages of the trunk", about="frozen")
    stages[:count].requires_grad_(False)


_WIDTH_STEP = 16


def own_size(aspect: float, stretch: float) -> tuple[int, int]:
    """Height, width of the input, as wide as the runtime's crops may be, for words ``aspect`` times as wide as high."""
    width = round(HEIGHT * aspect * stretch / _WIDTH_STEP) * _WIDTH_STEP
    return HEIGHT, int(np.clip(width, WIDTHS[0], WIDTHS[-1]))


def coarsen(crops: Tensor, rng: np.random.Generator) -> Tensor:
    """One chunk in three as words look that are 8 to 24 pixels high."""
    if rng.random() > 1 / 3:
        return crops
    factor = math.exp(rng.uniform(math.log(0.25), math.log(0.8)))
    size = [max(4, round(side * factor)) for side in crops.shape[2:]]
    small = nn.functional.interpolate(crops, size, mode="area")
    return nn.functional.interpolate(small, crops.shape[2:], mode="bilinear", align_corners=False)
