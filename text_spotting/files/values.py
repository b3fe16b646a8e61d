"""Values of other people's files, believed only after a look: numbers, points, texts, yes and no."""

import json
import math
import reprlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

FARTHEST = 1e6
"""No image is that large: a coordinate beyond it, in pixels, is a mistake."""

NUMBER = r"[-+]?+(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][-+]?+\d++)?+"
"""Pattern of a number; nothing in it is ever tried a second time, so no line can keep the search busy."""

_YES = {"1", "true", "yes", "y", "on", "legible"}
_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxlist, _REPR.maxstring = 3, 9, 60


class MalformedError(ValueError):
    """A value is not what its format says; the message says what was expected and what was found."""


def shown(value: Any) -> str:
    """A value in short, on one line, whatever it is."""
    try:
        return " ".join(_REPR.repr(value).split())[:100].encode(errors="backslashreplace").decode()
    except (ValueError, RecursionError):  # a number of more than 4300 digits
        return f"a {type(value).__name__}"


def mapping(value: Any, what: str = "a record") -> Mapping[str, Any]:
    """Return a JSON object.

    Raises:
        MalformedError: something else.
    """
    if not isinstance(value, dict):
        raise MalformedError(f"expected {what} {{...}}, found {shown(value)}")
    return value


def sequence(value: Any, what: str = "a list") -> list[Any]:
    """Return a JSON list; None counts as an empty one.

    Raises:
        MalformedError: something else.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedError(f"expected {what} [...], found {shown(value)}")
    return value


def number(value: Any, what: str = "a number") -> float:
    """Return a finite number, also one written as text.

    Raises:
        MalformedError: no number, an infinite one or one that float32 cannot hold.
    """
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        raise MalformedError(f"expected {what}, found {shown(value)}") from None
    if not math.isfinite(result) or abs(result) > np.finfo(np.float32).max:
        raise MalformedError(f"expected {what}, found {shown(value)}")
    return result


def numbers(value: Any, count: int, what: str) -> list[float]:
    """Return a list of so many finite numbers.

    Raises:
        MalformedError: something else.
    """
    if not isinstance(value, list) or len(value) != count:
        raise MalformedError(f"expected {what} of {count} numbers, found {shown(value)}")
    return [number(one) for one in value]


def whole_number(value: Any, what: str = "a whole number") -> int:
    """Return a whole number, also one written as text or as a float.

    Raises:
        MalformedError: something else.
    """
    result = number(value, what)
    if not result.is_integer():
        raise MalformedError(f"expected {what}, found {shown(value)}")
    return int(result)


def points(value: Any, least: int = 3) -> NDArray[np.float64]:
    """Return points (K, 2) given as pairs, as one flat list of x, y, or as ``{"x": ..., "y": ...}``.

    Raises:
        MalformedError: other shapes, fewer than ``least`` points, or a coordinate that is not finite or beyond
            ``FARTHEST``.
    """
    if isinstance(value, list | tuple) and value and all(isinstance(point, dict) for point in value):
        value = [(point.get("x"), point.get("y")) for point in value]
    try:
        flat = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise MalformedError(f"the polygon needs points [x, y], not {shown(value)}") from None
    if flat.ndim > 2 or (flat.ndim == 2 and flat.shape[1] != 2) or flat.size % 2 or flat.size < 2 * least:
        few = {1: "one", 2: "two", 3: "three", 4: "four"}[least]
        raise MalformedError(f"the polygon needs {few} or more points [x, y], not {shown(value)}")
    if not (np.abs(flat) < FARTHEST).all():
        raise MalformedError(f"a coordinate is out of range; coordinates are pixels of the image: {shown(value)}")
    return flat.reshape(-1, 2)


def text(value: Any) -> str:
    """Return a text; numbers and booleans as they are written, so that 0 is a word, and None as nothing.

    Lone surrogates, which no file can hold, become U+FFFD.

    Raises:
        MalformedError: a list or an object.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if _odd(value) else value
    if isinstance(value, bool | int | float):
        try:
            return json.dumps(value)
        except ValueError:
            raise MalformedError(f"expected a text, found {shown(value)}") from None
    raise MalformedError(f"expected a text, found {shown(value)}")


def _odd(value: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in value)


def truth(value: Any) -> bool:
    """0, 1, booleans, and the words that annotation tools write for them."""
    if isinstance(value, str):
        return value.strip().lower() in _YES
    return bool(value)
