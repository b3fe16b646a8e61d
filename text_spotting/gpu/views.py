"""Random views of images that lie on the card: crop, scale, turn, stretch, and the words in them."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from text_spotting.data.packing import MIN_SIDE
from text_spotting.data.transforms import MOST_TILT, Matrix, rotation
from text_spotting.gpu.matching import Truth
from text_spotting.words import FloatArray

_GRID = 7
"""Points a side at which a word is looked at to see how much of it a view shows."""


class Card(NamedTuple):
    """A labelled image on the card.

    Attributes:
        image: (3, H, W) uint8 RGB.
        polygons: (n, 4, 2) in its pixels; a numpy array, for views are chosen on the CPU.
        ignore: (n,) whether a region is don't care.
        stretch: factors (x, y) that give a squeezed image its own shape back.
    """

    image: Tensor
    polygons: FloatArray
    ignore: NDArray[np.bool_]
    stretch: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """How views are chosen: as ``data.transforms.RandomView`` does, but for values of its own and half turns.

    Templates set ``RandomView``. These values trained the light templates' weights (docs/experiments/card.md).

    Attributes:
        size: width, height of a view, multiples of 32.
        fit: width, height that a whole image is fitted into at scale 1.
        scales: least and greatest scale on top of that.
        aspect: greatest stretch.
        max_angle: greatest usual rotation in degrees.
        tilts, quarter_turns: probability of a rotation up to ``MOST_TILT`` degrees, and by 90, 180 or 270 degrees.
        on_word: probability of a view around a word.
        min_visible: a word that a view shows less of is don't care.
    """

    size: tuple[int, int] = (768, 544)
    fit: tuple[int, int] = (1024, 576)
    scales: tuple[float, float] = (0.6, 1.8)
    aspect: float = 1.3
    max_angle: float = 10.0
    tilts: float = 0.15
    quarter_turns: float = 0.1
    on_word: float = 0.8
    min_visible: float = 0.9


class View(NamedTuple):
    """What one view shows: ``matrix`` (2, 3) from image to view, and the words in it."""

    matrix: Matrix
    polygons: FloatArray
    ignored: FloatArray


def choose(card: Card, options: ViewOptions, rng: Generator) -> View:
    """A random view of an image."""
    matrix = _matrix(card, options, rng)
    moved = (card.polygons @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    seen = visible(moved, options.size)
    there = seen > 0.02
    boxes = clipped_boxes(moved, options.size)
    large = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf) >= MIN_SIDE
    wanted = there & ~card.ignore & (seen >= options.min_visible) & large
    return View(matrix, moved[wanted], boxes[there & ~wanted])


def _matrix(card: Card, options: ViewOptions, rng: Generator) -> Matrix:
    height, width = card.image.shape[1:]
    stretch = np.array(card.stretch)
    own = np.array([width, height]) * stretch
    scale = min(options.fit / own) * math.exp(rng.uniform(*np.log(options.scales)))
    aspect = math.exp(rng.uniform(-1, 1) * math.log(options.aspect) / 2)
    angle = rng.normal(0, options.max_angle / 2)
    if rng.random() < options.tilts:
        angle = rng.uniform(-MOST_TILT, MOST_TILT)
    if rng.random() < options.quarter_turns:
        angle += rng.choice([90.0, 270.0, 90.0, 270.0, 180.0])
    linear = rotation(angle) @ np.diag([scale * aspect, scale / aspect]) @ np.diag(stretch)
    size = np.array(options.size)
    centre = linear @ _centre(card, options, rng)
    offset = size / 2 + rng.uniform(-0.35, 0.35, 2) * size - centre
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)]) @ linear.T
    slack = np.sort(np.stack([size - corners.max(axis=0), -corners.min(axis=0)]), axis=0)
    return np.column_stack([linear, np.clip(offset, slack[0], slack[1])])


def _centre(card: Card, options: ViewOptions, rng: Generator) -> FloatArray:
    readable = np.flatnonzero(~card.ignore)
    if len(readable) and rng.random() < options.on_word:
        return np.asarray(card.polygons[rng.choice(readable)].mean(axis=0))
    return np.asarray(rng.uniform(0, 1, 2) * card.image.shape[:0:-1])


def visible(quads: FloatArray, size: tuple[int, int]) -> FloatArray:
    """The share (n,) of each quad (n, 4, 2) that lies in a view of width, height ``size``, from a grid of points."""
    steps = (np.arange(_GRID) + 0.5) / _GRID
    across, down = np.meshgrid(steps, steps)
    weights = np.stack([(1 - across) * (1 - down), across * (1 - down), across * down, (1 - across) * down])
    points = np.einsum("nkc,kyx->nyxc", quads, weights)
    inside = ((points >= 0) & (points <= np.array(size))).all(axis=3)
    return np.asarray(inside.mean(axis=(1, 2)), np.float32)


def clipped_boxes(quads: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Boxes (n, 4) around quads (n, 4, 2), cut off at the view's edges."""
    limit = np.array(size, np.float32)
    low, high = np.clip(quads.min(axis=1), 0, limit), np.clip(quads.max(axis=1), 0, limit)
    return np.asarray(np.concatenate([low, high], axis=1), np.float32)


def show(cards: list[Card], views: list[View], size: tuple[int, int]) -> tuple[Tensor, Truth]:
    """A batch of views of width, height ``size``, (B, 3, H, W) float 0..255, and the words in them."""
    images = look([card.image for card in cards], [view.matrix for view in views], size)
    device = images.device
    boxes = _padded([clipped_boxes(view.polygons, size) for view in views])
    polygons = _padded([view.polygons for view in views])
    ignored = _padded([view.ignored for view in views])
    return images, Truth(boxes.to(device), polygons.to(device), ignored.to(device))


def _padded(parts: list[FloatArray]) -> Tensor:
    """Arrays (n, ...) of different lengths as one (B, most, ...), filled up with zeros; one row at least."""
    most = max(1, *(len(part) for part in parts))
    whole = np.zeros((len(parts), most, *parts[0].shape[1:]), np.float32)
    for row, part in zip(whole, parts, strict=True):
        row[: len(part)] = part
    return torch.from_numpy(whole)


def look(images: list[Tensor], matrices: list[Matrix], size: tuple[int, int]) -> Tensor:
    """Images (3, H, W) uint8, each seen through its matrix (2, 3), image to view: (B, 3, height, width) 0..255.

    Beyond an image is its own mean color, as in ``data.transforms.warp``.
    """
    thetas = [_unit_matrix(image, matrix, size) for image, matrix in zip(images, matrices, strict=True)]
    theta = torch.from_numpy(np.stack(thetas).astype(np.float32)).to(images[0].device)
    grids = F.affine_grid(theta, [len(images), 3, size[1], size[0]], align_corners=False)
    pixels = [image[None].float() for image in images]
    means = [own.mean(dim=(2, 3), keepdim=True) for own in pixels]
    seen = [
        F.grid_sample(own - mean, grid[None], align_corners=False)
        for own, mean, grid in zip(pixels, means, grids, strict=True)
    ]
    return torch.cat(seen) + torch.cat(means)


def _unit_matrix(image: Tensor, matrix: Matrix, size: tuple[int, int]) -> Matrix:
    """From a view to the image (2, 3), both -1 to 1 from edge to edge."""
    height, width = image.shape[1:]
    to_unit = np.array([[2 / width, 0, -1], [0, 2 / height, -1], [0, 0, 1]])
    from_unit = np.array([[size[0] / 2, 0, size[0] / 2], [0, size[1] / 2, size[1] / 2], [0, 0, 1]])
    return np.asarray((to_unit @ np.linalg.inv(np.vstack([matrix, [0, 0, 1]])) @ from_unit)[:2])
