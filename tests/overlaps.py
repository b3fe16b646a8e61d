"""How well two outlines fit, for tests that compare them."""

from numpy.typing import ArrayLike

from text_spotting.geometry import area, intersection_area


def iou(first: ArrayLike, second: ArrayLike) -> float:
    """Intersection over union of two polygons (K, 2) that are not both degenerate."""
    shared = intersection_area(first, second)
    return shared / (area(first) + area(second) - shared)
