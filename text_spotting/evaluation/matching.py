"""Pairing of true and predicted words of one image by how much they overlap."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from text_spotting.words import Word

IOU_THRESHOLD = 0.5
"""Intersection over union above which (not at which) two words may be a pair."""

COVER_THRESHOLD = 0.5
"""Share of a prediction above which a don't-care region excuses it."""


@dataclass(frozen=True, slots=True)
class Overlaps:
    """How T true and P predicted words of an image lie over each other.

    Attributes:
        iou: (T, P) intersection over union.
        cover: (T, P) intersection over the prediction's area; 0 for a prediction without area.
    """

    iou: NDArray[np.float64]
    cover: NDArray[np.float64]


def measure_overlaps(truth: Sequence[Word], predictions: Sequence[Word]) -> Overlaps:
    """Measure every pair of words; outlines that cross themselves count by the even-odd rule."""
    shape = (len(truth), len(predictions))
    iou, cover = np.zeros(shape), np.zeros(shape)
    if not truth or not predictions:
        return Overlaps(iou, cover)
    true_shapes, predicted_shapes = _shapes(truth), _shapes(predictions)
    rows, columns = np.nonzero(_bounds_meet(shapely.bounds(true_shapes), shapely.bounds(predicted_shapes)))
    shared = shapely.area(shapely.intersection(true_shapes[rows], predicted_shapes[columns]))
    true_area, predicted_area = shapely.area(true_shapes)[rows], shapely.area(predicted_shapes)[columns]
    iou[rows, columns] = _ratio(shared, true_area + predicted_area - shared)
    cover[rows, columns] = _ratio(shared, predicted_area)
    return Overlaps(iou, cover)


def excused_predictions(cover: NDArray[np.float64], care: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return (P,) flags of the predictions that lie mostly in one don't-care region.

    Args:
        cover: (T, P) as in ``Overlaps``.
        care: (T,) flags of the true words that must be found.
    """
    return np.asarray(np.any(cover[~care] > COVER_THRESHOLD, axis=0))


def greedy_pairs(
    iou: NDArray[np.float64], care_truth: NDArray[np.bool_], care_predictions: NDArray[np.bool_]
) -> Iterator[tuple[int, int]]:
    """Yield index pairs one-to-one: each true word in order takes the first free prediction that overlaps enough.

    That is the order of the ICDAR 2015 Challenge 4 protocol: the first, not the best, overlap wins.
    """
    free = care_predictions.copy()
    allowed = iou > IOU_THRESHOLD
    for row in np.flatnonzero(care_truth & allowed.any(axis=1)):
        candidates = np.flatnonzero(allowed[row] & free)
        if len(candidates):
            free[candidates[0]] = False
            yield int(row), int(candidates[0])


def _shapes(words: Sequence[Word]) -> NDArray[np.object_]:
    points = np.concatenate([word.polygon for word in words]).astype(np.float64)
    owners = np.repeat(np.arange(len(words)), [len(word.polygon) for word in words])
    shapes = np.asarray(shapely.polygons(shapely.linearrings(points, indices=owners)))
    broken = ~shapely.is_valid(shapes)
    shapes[broken] = shapely.make_valid(shapes[broken])
    return shapes


def _bounds_meet(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.bool_]:
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    return np.asarray(np.all(low < high, axis=2))


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
