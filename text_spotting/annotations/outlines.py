"""Outlines of words from what annotation tools draw: turned boxes, masks, several polygons, lines and ellipses."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from shapely import LineString, MultiPoint, Point, Polygon, union_all

from text_spotting.files.values import MalformedError, points, sequence, shown, whole_number
from text_spotting.geometry import box_to_polygon, to_shape
from text_spotting.image_files import allowed_pixels
from text_spotting.words import FloatArray

ELLIPSE_CORNERS = 16
MOST_PIECES = 100
"""Pieces of a mask that are joined one by one; of more, which are noise, the convex hull is taken."""
WIDEST_BAND = 40.0
"""Pixels on either side of a line that are don't care at most."""


def rotated_box(box: Sequence[float], degrees: float) -> FloatArray:
    """Corners (4, 2), from the box's own top left, of a box x, y, width, height turned clockwise about its centre."""
    x, y, width, height = box
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    corners = box_to_polygon((-width / 2, -height / 2, width / 2, height / 2)) @ np.array([[cos, sin], [-sin, cos]])
    return np.asarray(corners + np.array([x + width / 2, y + height / 2]), dtype=np.float32)


def ellipse(centre: tuple[float, float], radii: tuple[float, float], degrees: float = 0.0) -> NDArray[np.float64]:
    """Corners (16, 2) of a polygon around an ellipse, turned clockwise."""
    angles = np.linspace(0, 2 * np.pi, ELLIPSE_CORNERS, endpoint=False) - np.pi * 3 / 4
    flat = np.stack([radii[0] * np.cos(angles), radii[1] * np.sin(angles)], axis=1)
    turn = np.radians(degrees)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.asarray(flat @ matrix + np.array(centre), np.float64)


def joined(polygons: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """One outline that covers all polygons: their union where they touch, else their convex hull."""
    union = union_all([to_shape(polygon) for polygon in polygons])
    shape = union if isinstance(union, Polygon) and not union.is_empty else union.convex_hull
    if not isinstance(shape, Polygon) or shape.is_empty:
        raise MalformedError("polygons without area")
    return clockwise(np.asarray(shape.simplify(0).exterior.coords)[:-1], start=polygons[0][0])


def clockwise(outline: NDArray[Any], start: NDArray[Any]) -> NDArray[np.float64]:
    """The same points, clockwise on the screen, from the one nearest to ``start``."""
    x, y = outline[:, 0], outline[:, 1]
    area = np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)
    ordered = outline if area > 0 else outline[::-1]
    first = int(np.argmin(np.abs(ordered - start).sum(axis=1)))
    return np.asarray(np.roll(ordered, -first, axis=0), np.float64)


def band(line: NDArray[Any]) -> NDArray[np.float64]:
    """A region around points or a line, which says roughly where something is."""
    shape = LineString(line) if len(line) > 1 else MultiPoint(line)
    reach = min(max(float(shape.length) / 4, 4.0), WIDEST_BAND)
    region = shape.buffer(reach, cap_style="flat" if shape.length else "square", join_style="mitre")
    return np.asarray(region.convex_hull.exterior.coords)[:-1]


def coco_mask(segmentation: Any) -> NDArray[np.float64]:
    """Outline of COCO's run-length mask ``{"size": [height, width], "counts": list or text}``.

    Runs go down the columns, the first one outside; the text is COCO's compressed form (pycocotools, ``maskApi.c``).

    Raises:
        MalformedError: no such mask, an empty one, or one larger than any image.
    """
    size = [whole_number(side, "mask size") for side in sequence(segmentation.get("size"), "mask size")]
    if len(size) != 2:
        raise MalformedError(f"expected a mask size [height, width], found {shown(segmentation.get('size'))}")
    counts = segmentation.get("counts")
    runs = _unpacked(counts) if isinstance(counts, str) else [whole_number(run) for run in sequence(counts)]
    # Columns are the rows of the transposed image.
    outline = mask_outline(runs, (size[1], size[0]))[:, ::-1]
    return clockwise(outline, start=outline.min(axis=0))


def mask_outline(runs: Sequence[int], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Outline (K, 2), as column, row, of a mask (rows, columns) whose runs go along the rows, the first one outside.

    Raises:
        MalformedError: the runs do not fill the mask, or the mask is empty or larger than any image.
    """
    rows, columns = shape
    lengths = np.asarray(runs, np.int64) if all(0 <= run < 1 << 40 for run in runs) else np.zeros(0, np.int64)
    if rows < 1 or columns < 1 or rows * columns > allowed_pixels() or lengths.sum() != rows * columns:
        raise MalformedError(f"{len(runs)} runs do not fill a mask of {rows}x{columns}")
    edges = np.cumsum(lengths).tolist()
    spans = [(start, end) for start, end in zip(edges[0::2], edges[1::2], strict=False) if end > start]
    if not spans:
        raise MalformedError("an empty mask")
    first, last = spans[0][0] // columns, (spans[-1][1] - 1) // columns
    filled = np.zeros((last - first + 1) * columns, np.uint8)
    for start, end in spans:
        filled[start - first * columns : end - first * columns] = 1
    return np.asarray(_outline(filled.reshape(-1, columns)) + np.array([0, first]), np.float64)


def _outline(mask: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Outline of the cells of a mask; a contour runs through their centres, half a cell further in."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if len(contours) > MOST_PIECES:
        contours = (cv2.convexHull(np.concatenate(contours)),)
    pieces = [_grown(contour.reshape(-1, 2) + 0.5) for contour in contours]
    whole = joined([np.asarray(piece.exterior.coords)[:-1] for piece in pieces])
    smooth = np.asarray(Polygon(whole).simplify(0.5).exterior.coords)[:-1]
    return clockwise(smooth, start=smooth.min(axis=0))


def _grown(cells: NDArray[Any]) -> Polygon:
    """The cells whose centres a contour runs through, with their corners."""
    shape = Polygon(cells) if len(cells) > 2 else LineString(cells) if len(cells) == 2 else Point(cells[0])
    return shape.buffer(0.5, cap_style="square", join_style="mitre")


def _unpacked(counts: str) -> list[int]:
    """Runs of COCO's compressed form: five bits a character, the sixth says that more follow, from the third run on
    differences to the run before the last."""
    runs: list[int] = []
    value = shift = 0
    for character in counts:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise MalformedError(f"expected a compressed mask, found {shown(counts)}")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << shift
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return runs


def flat_points(pairs: str) -> NDArray[np.float64]:
    """Points of ``x,y;x,y``, as CVAT writes them.

    Raises:
        MalformedError: not that.
    """
    return points([pair.split(",") for pair in pairs.split(";")], least=1)
