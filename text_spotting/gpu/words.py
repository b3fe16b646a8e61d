"""Words on the card, and how the reader sees them: at their own width, in frames that are somewhat off."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from text_spotting.alphabet import START, Alphabet
from text_spotting.data.packing import pad_texts
from text_spotting.frames import SAMPLES, FrameJitter, reading_frame
from text_spotting.gpu.packing import CANVAS
from text_spotting.gpu.shards import Packed

_AT_ONCE = 1024
"""Words that go to the card together."""


class WordPool:
    """A ring of words on the card: an image each, its size, its frame and its text.

    Args:
        capacity: words held, 92 kB each, from the start; the oldest give way.
        alphabet: what texts are encoded in.
    """

    def __init__(self, capacity: int, alphabet: Alphabet, device: torch.device) -> None:
        self.capacity = capacity
        self.alphabet = alphabet
        self.device = device
        self.canvases = torch.zeros(capacity, 3, *CANVAS, dtype=torch.uint8, device=device)
        self.sizes = torch.zeros(capacity, 2, device=device)
        self.frames = torch.zeros(capacity, 3, 2, device=device)
        self.texts = torch.full((capacity, alphabet.max_length), START, device=device)
        self.aspects = np.ones(capacity, np.float32)
        self.held = 0
        self.next = 0

    def add(self, words: Iterable[Packed]) -> None:
        """Take words in, many at a time."""
        batch: list[Packed] = []
        for word in words:
            batch.append(word)
            if len(batch) == _AT_ONCE:
                self._put(batch)
                batch = []
        if batch:
            self._put(batch)

    def _put(self, words: list[Packed]) -> None:
        rows = [(self.next + index) % self.capacity for index in range(len(words))]
        canvases = np.zeros((len(words), 3, *CANVAS), np.uint8)
        sizes = np.zeros((len(words), 2), np.float32)
        frames = np.zeros((len(words), 3, 2), np.float32)
        for index, word in enumerate(words):
            height, width = word.image.shape[:2]
            canvases[index, :, :height, :width] = word.image[:, :, ::-1].transpose(2, 0, 1)
            sizes[index] = width, height
            frames[index] = reading_frame(word.polygons[0])
            along, across = np.linalg.norm(frames[index, 1:], axis=1)
            self.aspects[rows[index]] = along / max(float(across), 1.0)
        places = torch.tensor(rows, device=self.device)
        self.canvases[places] = torch.from_numpy(canvases).to(self.device)
        self.sizes[places] = torch.from_numpy(sizes).to(self.device)
        self.frames[places] = torch.from_numpy(frames).to(self.device)
        self.texts[places] = pad_texts([word.texts[0] for word in words], self.alphabet).to(self.device)
        self.next = (self.next + len(words)) % self.capacity
        self.held = min(self.capacity, self.held + len(words))

    def cut(self, rows: Tensor, frames: Tensor, size: tuple[int, int]) -> Tensor:
        """Words at ``rows`` (N,) in ``frames`` (N, 3, 2), as (N, 3, height, width) float 0..255; edges go on beyond.

        Args:
            size: height, width.
        """
        height, width = size
        across = (torch.arange(width * SAMPLES, device=self.device) + 0.5) / (width * SAMPLES)
        down = (torch.arange(height * SAMPLES, device=self.device) + 0.5) / (height * SAMPLES)
        corner, along, side = (part[:, None, None] for part in frames.unbind(dim=1))
        points = corner + across[None, None, :, None] * along + down[None, :, None, None] * side
        limit = self.sizes[rows][:, None, None]
        points = torch.minimum(points.clamp(min=0.5), limit - 0.5)
        unit = torch.tensor([CANVAS[1], CANVAS[0]], device=self.device) / 2
        fine = F.grid_sample(self.canvases[rows].float(), points / unit - 1, align_corners=False)
        return F.avg_pool2d(fine, SAMPLES)


@dataclass(frozen=True)
class Jitter:
    """``frames.FrameJitter`` for many frames at once.

    Attributes:
        loose: how far frames are off.
        tight: share of the frames that stay as they are, but for the margin.
        heavy: factor on all of it.
    """

    loose: FrameJitter = field(default_factory=FrameJitter)
    tight: float = 0.25
    heavy: float = 1.0

    def __call__(self, frames: Tensor) -> Tensor:
        """Frames (N, 3, 2: corner, along, across) somewhat beside the given ones."""
        corner, along, across = frames.unbind(dim=1)
        count, device = len(frames), frames.device
        scale = self.heavy * (torch.rand(count, 1, device=device) > self.tight).float()
        height = across.norm(dim=1, keepdim=True).clamp(min=1e-3)
        width = along.norm(dim=1, keepdim=True).clamp(min=1e-3)
        left, right = (self._shift(self.loose.along, scale) * height / width for _ in range(2))
        top, bottom = (self._shift(self.loose.across, scale) for _ in range(2))
        corner = corner - left * along - top * across
        along, across = along * (1 + left + right), across * (1 + top + bottom)
        centre = corner + (along + across) / 2
        angle = torch.deg2rad(laplace(count, self.loose.angle, device) * scale)
        cosine, sine = angle.cos(), angle.sin()
        along = torch.cat([along[:, :1] * cosine - along[:, 1:] * sine, along[:, :1] * sine + along[:, 1:] * cosine], 1)
        across = torch.cat(
            [across[:, :1] * cosine - across[:, 1:] * sine, across[:, :1] * sine + across[:, 1:] * cosine], 1
        )
        slant = torch.randn(count, 1, device=device) * self.loose.slant * scale
        across = across + along / width * height * slant
        return torch.stack([centre - (along + across) / 2, along, across], dim=1)

    def _shift(self, size: float, scale: Tensor) -> Tensor:
        drawn = self.loose.centre + laplace(len(scale), size, scale.device) * scale
        return drawn.clamp(-self.loose.deepest, self.loose.farthest)


def laplace(count: int, scale: float, device: torch.device) -> Tensor:
    """Draws (count, 1) from Laplace's distribution around 0."""
    even = torch.rand(count, 1, device=device) - 0.5
    return -scale * even.sign() * torch.log1p(-2 * even.abs().clamp(max=0.4999))
