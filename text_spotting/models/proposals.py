"""How many region proposals of an image are looked at."""

from typing import Any

from torch import Tensor


def proposal_count(scores: Tensor, settings: Any) -> Tensor | int:
    """Return how many of the proposals, best first, go on to the box head.

    It is ``usual`` of them, and beyond these only the ones that are text for sure (score above ``sure_thr``), so that a
    page full of words is read to its end while an ordinary image costs what it did. Without these two keys all go on.

    Args:
        scores: [N] in descending order.
        settings: ``test_cfg.rpn``.
    """
    if "sure_thr" not in settings:
        return len(scores)
    return (scores > settings.sure_thr).sum().clamp(min=settings.usual)
