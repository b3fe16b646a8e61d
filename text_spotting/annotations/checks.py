"""What every reader asks about a picture and a word before it believes the annotation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, UnidentifiedImageError
from shapely import Polygon, box, get_parts, make_valid

from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import LabelledWord
from text_spotting.geometry import to_shape
from text_spotting.words import FloatArray

DONT_CARE = "###"
"""Transcription by which most sets mark a word that a person cannot read."""
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif")
_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)
_SLACK = 2.0
"""Pixels that a polygon may reach over the border: rounding, not an error."""


def picture_size(path: Path, place: str, problems: Problems) -> tuple[int, int] | None:
    """Width and height as OpenCV loads the picture, turned as its EXIF says; None, reported, if it cannot be read."""
    if not path.is_file():
        problems.add("picture missing: skipped with its words", place, str(path))
        return None
    try:
        with Image.open(path) as picture:
            width, height = picture.size
            orientation = picture.getexif().get(_ORIENTATION, 1)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        problems.add("picture cannot be read: skipped with its words", place, f"{path}: {error}")
        return None
    if orientation != 1:
        problems.add("picture has an EXIF orientation: labels taken as drawn on the turned picture", place, str(path))
    return (height, width) if orientation in _SIDEWAYS else (width, height)


def agreed_size(path: Path, stated: tuple[Any, Any], place: str, problems: Problems) -> tuple[int, int] | None:
    """Size of a picture whose annotation states one as well; None, reported, where the two contradict each other.

    Labels drawn on another version of the picture would be silently wrong, so such a picture is better left out.
    """
    size = picture_size(path, place, problems)
    if size is not None and None not in stated and size != tuple(int(value) for value in stated):
        problems.add("picture is not of the size that its labels state: skipped", place, f"{size}, not {stated}")
        return None
    return size


def find_picture(folder: Path, stem: str) -> Path:
    """The picture of that name whatever its suffix; ``stem.jpg``, which does not exist, when there is none."""
    for suffix in SUFFIXES:
        for candidate in (folder / (stem + suffix), folder / (stem + suffix.upper())):
            if candidate.is_file():
                return candidate
    return folder / f"{stem}.jpg"


def checked_word(
    points: ArrayLike,
    size: tuple[int, int],
    place: str,
    problems: Problems,
    *,
    text: str = "",
    legible: bool = True,
    language: str = "",
    attributes: Mapping[str, Any] | None = None,
) -> LabelledWord | None:
    """Return the word with a sound polygon, or None if it has no place in the picture; either is reported.

    A polygon that crosses itself is repaired. One that leaves the picture keeps its shape, as official evaluations have
    it, but is marked don't care when less than half of it can be seen.

    Args:
        points: (K, 2) or flat x, y in pixels.
        size: width and height of the picture.
        text: transcription; ``###`` marks the word as don't care.
    """
    polygon = _sound_polygon(np.asarray(points, dtype=np.float64).ravel(), place, problems)
    if polygon is None:
        return None
    overhang = _overhang(polygon, size)
    visible = _visible_share(polygon, size) if overhang else 1.0
    if visible == 0:
        problems.add("outside the picture: dropped", place)
        return None
    if visible < 0.5:
        problems.add("more than half outside the picture: marked don't care", place)
    elif overhang > _SLACK:
        problems.add("reaches outside the picture: kept as it is", place)
    unreadable = not legible or text == DONT_CARE
    return LabelledWord(
        polygon,
        text="" if text == DONT_CARE else text,
        ignore=unreadable or visible < 0.5,
        language=language,
        attributes=attributes or {},
    )


def _sound_polygon(flat: NDArray[np.float64], place: str, problems: Problems) -> FloatArray | None:
    if flat.size < 6 or flat.size % 2 or not np.isfinite(flat).all():
        problems.add("not a polygon of 3 or more finite points: dropped", place, str(flat.tolist())[:80])
        return None
    points: NDArray[np.float64] = flat.reshape(-1, 2)
    shape = Polygon(points)
    if not shape.is_valid:
        points = _uncrossed(points)
        shape = Polygon(points)
    if shape.area == 0:
        problems.add("polygon without area: dropped", place, str(flat.tolist())[:80])
        return None
    if points.shape != (flat.size // 2, 2) or not np.array_equal(points.ravel(), flat):
        problems.add("polygon crosses itself: repaired", place, str(flat.tolist())[:80])
    return points.astype(np.float32)


def _uncrossed(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points in an order that does not cross; for a quad its first point stays first.

    A crossed quad is one whose corners were given row by row, so an order of the same corners is right. Of any other
    polygon the outline of its largest piece is kept.
    """
    if len(points) == 4:
        for order in ([0, 1, 3, 2], [0, 2, 1, 3]):
            if Polygon(points[order]).is_valid:
                return points[order]
    pieces = [piece for piece in get_parts(make_valid(Polygon(points))) if isinstance(piece, Polygon)]
    if not pieces:
        return points
    largest = max(pieces, key=lambda piece: float(piece.area))
    return np.asarray(largest.exterior.coords)[:-1]


def _visible_share(polygon: FloatArray, size: tuple[int, int]) -> float:
    shape = to_shape(polygon)
    return float(shape.intersection(box(0, 0, *size)).area / shape.area)


def _overhang(polygon: FloatArray, size: tuple[int, int]) -> float:
    """Pixels by which the polygon leaves the picture."""
    return float(max(-polygon.min(), (polygon - np.asarray(size)).max(), 0))
