"""Rectangles that words are read in, from masks: ``frames.reading_frame`` for tensors, without decisions on data."""

import torch
from torch import Tensor

from text_spotting.frames import ELONGATED


def reading_frames(boxes: Tensor, masks: Tensor, threshold: float) -> Tensor:
    """Where to read each word.

    Args:
        boxes: (N, 4) x1, y1, x2, y2.
        masks: (N, M, M) probability that a cell of the box belongs to the word.
        threshold: from which a cell does; where none does, the whole box is taken.

    Returns:
        (N, 3, 2): a corner, the side along the text and the side across.
    """
    inside = (masks > threshold).to(boxes.dtype)
    inside = inside + (inside.sum(dim=(1, 2), keepdim=True) == 0).to(boxes.dtype)
    size = boxes[:, 2:] - boxes[:, :2]
    cells = masks.shape[-1]
    places = (torch.arange(cells, device=boxes.device, dtype=boxes.dtype) + 0.5) / cells
    mass = inside.sum(dim=(1, 2))
    columns, rows = inside.sum(dim=1) / mass[:, None], inside.sum(dim=2) / mass[:, None]
    centre = torch.stack([(columns * places).sum(dim=1), (rows * places).sum(dim=1)], dim=1)
    across, down = places - centre[:, :1], places - centre[:, 1:]
    # A cell is not a point: it spreads by a twelfth of its size squared.
    variance = torch.stack([(columns * across**2).sum(dim=1), (rows * down**2).sum(dim=1)], dim=1)
    xx, yy = ((variance + 1 / (12 * cells**2)) * size**2).unbind(dim=1)
    xy = torch.einsum("nij,ni,nj->n", inside, down, across) / mass * size[:, 0] * size[:, 1]
    along, across_text = _half_sides(xx, xy, yy)
    corner = boxes[:, :2] + centre * size - along - across_text
    return torch.stack([corner, 2 * along, 2 * across_text], dim=1)


def _half_sides(xx: Tensor, xy: Tensor, yy: Tensor) -> tuple[Tensor, Tensor]:
    """Half the sides (N, 2), along and across the text, of rectangles with these second moments (N,)."""
    spread = ((xx - yy) ** 2 + 4 * xy**2).sqrt()
    longer = (1.5 * (xx + yy + spread)).sqrt()
    shorter = (1.5 * (xx + yy - spread)).clamp(min=0).sqrt()
    # The double angle's cosine gives the angle's: from -90 to 90 degrees, so text runs from left to right.
    double = (xx - yy + _TINY) / (spread + _TINY)
    cosine = ((1 + double).clamp(min=0) / 2).sqrt()
    sign = (xy >= 0).to(xx.dtype) * 2 - 1
    sine = sign * ((1 - double).clamp(min=0) / 2).sqrt()
    turned = (double < 0) & (longer < ELONGATED * shorter)
    cosine, sine = torch.where(turned, sine.abs(), cosine), torch.where(turned, -sign * cosine, sine)
    longer, shorter = torch.where(turned, shorter, longer), torch.where(turned, longer, shorter)
    along = longer[:, None] * torch.stack([cosine, sine], dim=1)
    across = shorter[:, None] * torch.stack([-sine, cosine], dim=1)
    return along, across


_TINY = 1e-6
