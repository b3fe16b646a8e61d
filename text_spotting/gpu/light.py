"""Changes of light, color and sharpness for a batch on the card, each image its own."""

import torch
from torch import Tensor
from torch.nn import functional as F

_GREY = (0.299, 0.587, 0.114)


def relight(images: Tensor, share: float) -> Tensor:
    """Change images (B, 3, H, W) float 0..255 RGB; each kind of change befalls a ``share`` of them.

    Contrast and brightness, saturation, the balance of colors, blur, noise.
    """
    count = len(images)

    def drawn(low: float, high: float, neutral: float, channels: int = 1) -> Tensor:
        values = torch.empty(count, channels, 1, 1, device=images.device).uniform_(low, high)
        struck = torch.rand(count, 1, 1, 1, device=images.device) < share
        return torch.where(struck, values, neutral)

    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    images = (images - mean) * drawn(0.35, 1.4, 1.0) + mean + drawn(-70, 40, 0.0)
    weights = torch.tensor(_GREY, device=images.device).view(1, 3, 1, 1)
    grey = (images * weights).sum(dim=1, keepdim=True)
    images = grey + (images - grey) * drawn(0.0, 1.6, 1.0)
    images = blur(images * drawn(0.8, 1.2, 1.0, channels=3), drawn(0.4, 1.6, 0.0).flatten())
    return (images + torch.randn_like(images) * drawn(2, 14, 0.0)).clamp(0, 255)


def blur(images: Tensor, sigmas: Tensor, reach: int = 4) -> Tensor:
    """Gaussian blur of (B, 3, H, W), each image by its own standard deviation in pixels (B,); 0 changes nothing."""
    places = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
    kernel = torch.exp(-(places**2) / (2 * sigmas.clamp(min=0.05)[:, None] ** 2))
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(3, dim=0)
    groups = kernel.shape[0]
    flat = F.pad(images, (reach,) * 4, mode="replicate").reshape(1, groups, *(s + 2 * reach for s in images.shape[2:]))
    flat = F.conv2d(flat, kernel.view(groups, 1, 1, -1), groups=groups)
    return F.conv2d(flat, kernel.view(groups, 1, -1, 1), groups=groups).view_as(images)
