"""What every reader asks about an image and a word before it believes the annotation."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapely import Polygon, box, get_parts, make_valid

from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage, LabelledWord
from text_spotting.errors import UserError
from text_spotting.files.values import MalformedError, points, shown, whole_number
from text_spotting.geometry import to_shape
from text_spotting.image_files import Header, find_by_stem, is_file, read_header
from text_spotting.words import DONT_CARE, FloatArray

MOST_POINTS = 1000
"""Corners of an outline; more only cost time."""
_SLACK = 2.0
"""Pixels that a polygon may reach over the border: rounding, not an error."""


class Rejection(Enum):
    """Why a shape became no word."""

    OUTSIDE = "it lies outside the image, where nobody sees it"
    UNUSABLE = "it could not be understood"


Checked = LabelledWord | Rejection


def image_size(path: Path, place: str, problems: Problems) -> tuple[int, int] | None:
    """Width and height as the image is read, turned as its EXIF says; None, reported, if it cannot be read."""
    header = _header(path, place, problems)
    if header is None:
        return None
    if header.orientation != 1:
        problems.add("image has an EXIF orientation: labels taken as drawn on the turned image", place, str(path))
    return header.width, header.height


def _header(path: Path, place: str, problems: Problems) -> Header | None:
    if not is_file(path):
        problems.add("image missing: skipped with its words", place, str(path))
        return None
    try:
        return read_header(path)
    except UserError as error:
        problems.add_unreadable("image cannot be read: skipped with its words", UserError(f"{place}: {error}"))
        return None


def agreed_size(path: Path, stated: tuple[Any, Any], place: str, problems: Problems) -> tuple[int, int] | None:
    """Size of an image whose annotation states one as well; None, reported, where the two contradict each other.

    Labels drawn on another version of the image would be silently wrong, so such an image is better left out.
    """
    if None in stated:
        return image_size(path, place, problems)
    header = _header(path, place, problems)
    if header is None:
        return None
    size = header.width, header.height
    try:
        said = whole_number(stated[0]), whole_number(stated[1])
    except MalformedError as error:
        problems.add("size of the image is stated in no number: its own is taken", place, str(error))
        return size
    if size != said:
        problems.add("image is not of the size that its labels state: skipped", place, f"{size}, not {said}")
        return None
    return size


def find_image(folder: Path, stem: str, place: str, problems: Problems) -> Path:
    """The image of that name whatever its suffix; ``stem.jpg``, which does not exist, when there is none.

    Where several differ only in their ending, the first of ``IMAGE_SUFFIXES`` is taken, and that is reported.
    """
    found = find_by_stem(folder, stem)
    if len(found) > 1:
        others = ", ".join(path.name for path in found)
        problems.add("several images of that name: labels taken for the first", place, others)
    return found[0] if found else folder / f"{stem}.jpg"


def annotated(
    path: Path, size: tuple[int, int], words: Iterable[Checked], place: str, problems: Problems
) -> Iterator[AnnotatedImage]:
    """Yield the image with its words, or nothing where it had shapes and none of them could be understood.

    Such an image would be trained as one that holds no text.
    """
    found = list(words)
    usable = [word for word in found if isinstance(word, LabelledWord)]
    if not usable and Rejection.UNUSABLE in found:
        problems.add("none of its shapes could be used: image left out", place, str(path))
        return
    yield AnnotatedImage(path, *size, usable)


def word_of(make: Callable[[], Checked], place: str, problems: Problems) -> Checked:
    """What ``make`` returns; a record that is no word is reported."""
    try:
        return make()
    except MalformedError as error:
        problems.add("not a word: dropped", place, str(error))
        return Rejection.UNUSABLE


def checked_word(
    outline: Any,
    size: tuple[int, int],
    place: str,
    problems: Problems,
    *,
    text: str = "",
    legible: bool = True,
    language: str = "",
    attributes: Mapping[str, Any] | None = None,
) -> Checked:
    """Return the word with a sound polygon, or why it has no place in the image; either is reported.

    A polygon that crosses itself is repaired. One that leaves the image keeps its shape, as official evaluations have
    it, but is marked don't care when less than half of it can be seen.

    Args:
        outline: (K, 2) or flat x, y in pixels, unchecked.
        size: width and height of the image.
        text: transcription; ``###`` marks the word as don't care.
    """
    polygon = _sound_polygon(outline, place, problems)
    if polygon is None:
        return Rejection.UNUSABLE
    overhang = _overhang(polygon, size)
    visible = _visible_share(polygon, size) if overhang else 1.0
    if visible == 0:
        problems.add("outside the image: dropped", place)
        return Rejection.OUTSIDE
    if visible < 0.5:
        problems.add("more than half outside the image: marked don't care", place)
    elif overhang > _SLACK:
        problems.add("reaches outside the image: kept as it is", place)
    unreadable = not legible or text == DONT_CARE
    return LabelledWord(
        polygon,
        text="" if text == DONT_CARE else text,
        ignore=unreadable or visible < 0.5,
        language=language,
        attributes=attributes or {},
    )


def _sound_polygon(outline: Any, place: str, problems: Problems) -> FloatArray | None:
    try:
        given = points(outline)
    except MalformedError as error:
        problems.add("not a polygon of 3 or more finite points: dropped", place, str(error))
        return None
    if len(given) > MOST_POINTS:
        problems.add(f"polygon of more than {MOST_POINTS} points: thinned", place, f"{len(given)} points")
        given = given[:: -(-len(given) // MOST_POINTS)]
    corners = given if Polygon(given).is_valid else _uncrossed(given)
    if not Polygon(corners).area or not Polygon(corners.astype(np.float32)).area:
        problems.add("polygon without area: dropped", place, shown(given.ravel().tolist()))
        return None
    if not np.array_equal(corners, given):
        problems.add("polygon crosses itself: repaired", place, shown(given.ravel().tolist()))
    return corners.astype(np.float32)


def _uncrossed(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points in an order that does not cross; for a quad its first point stays first.

    A crossed quad is one whose corners were given row by row, so an order of the same corners is right. Of any other
    polygon the outline of its largest piece is kept.
    """
    if len(corners) == 4:
        for order in ([0, 1, 3, 2], [0, 2, 1, 3]):
            if Polygon(corners[order]).is_valid:
                return corners[order]
    pieces = [piece for piece in get_parts(make_valid(Polygon(corners))) if isinstance(piece, Polygon)]
    if not pieces:
        return corners
    largest = max(pieces, key=lambda piece: float(piece.area))
    return np.asarray(largest.exterior.coords)[:-1]


def _visible_share(polygon: FloatArray, size: tuple[int, int]) -> float:
    shape = to_shape(polygon)
    return float(shape.intersection(box(0, 0, *size)).area / shape.area) if shape.area else 0.0


def _overhang(polygon: FloatArray, size: tuple[int, int]) -> float:
    """Pixels by which the polygon leaves the image."""
    return float(max(-polygon.min(), (polygon - np.asarray(size)).max(), 0))
