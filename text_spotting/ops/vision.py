"""torchvision's operators, where that package is installed and loads."""

from functools import cache
from typing import Any

import torch


@cache
def operators() -> Any | None:
    """``torch.ops.torchvision``, or nothing.

    torchvision's wheels are built for one build of torch each and fail in various ways beside another.
    """
    try:
        import torchvision

        return torch.ops.torchvision if torchvision.extension._has_ops() else None
    except (ImportError, OSError, RuntimeError, AttributeError):
        return None
