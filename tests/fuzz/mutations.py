"""Ways to spoil a file: bytes, tokens of text, and values of JSON."""

# ruff: noqa: E501 (odd values stay side by side)

import copy
import json
import random
from collections.abc import Callable
from typing import Any

ODD_VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**70), 1e308, 1e39, -1e39, 1e-320, 0.1, float("nan"), float("inf"),
    "", "0", "1e999", "NaN", "###", "\x00", "\ud800", "\u202e", "a" * 3000, "../../etc/passwd", "C:\\a\\b.jpg", "/", ".",
    [], {}, [[]], [None], [[None, None]] * 3, [1, 2, 3], [0] * 9, [[1, 1]] * 4, {"a": 1}, [1e300] * 8, ["x"] * 8,
    {"size": [2, 2], "counts": [1]}, {"size": [10**9, 10**9], "counts": "a"}, [[0, 0], [5, 5], [0, 5], [5, 0]],
]  # fmt: skip
ODD_TOKENS = [
    b"1e999", b"-1e39", b"NaN", b"inf", b"9" * 5000, b"0x1f", b"1.2.3", b"-", b".", b"''", b'"', b"[[", b"]]", b"{", b"}",
    b"[" * 2000, b'{"a":' * 2000, b"<a>" * 300, b"&lol;", b"&#0;", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"\xff\xfe", b"\x00",
    b"\xed\xa0\x80", b"\xc3", b"\t", b" " * 3000, b",,,,,,,,", b"\r", b"\n\n\n", b"&a [*a]", b"*a", b"!!python/none",
    b"2001-99-99", b"1:2:3", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"null", b"true", b"\\ud800", b"../" * 50, b"\\", b"#",
]  # fmt: skip


def spoiled(data: bytes, rng: random.Random) -> bytes:
    """Return the file with one to four things wrong."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        change: Callable[[bytes, random.Random], bytes] = rng.choice(
            (_in_json, _in_json, _token, _token, _flip, _cut, _repeat, _swap, _number)
        )
        data = change(data, rng)
    return data


def _in_json(data: bytes, rng: random.Random) -> bytes:
    """Put an odd value somewhere into a JSON document; other files get a token."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return _token(data, rng)
    places = list(_places(document))
    if not places:
        return json.dumps(rng.choice(ODD_VALUES)).encode()
    holder, key = rng.choice(places)
    action = rng.random()
    if action < 0.15:
        del holder[key]
    elif action < 0.25 and isinstance(holder, dict):
        holder[rng.choice(("", "id", "\ud800", "0", "text"))] = holder.pop(key)
    elif action < 0.35:
        other, place = rng.choice(places)
        try:
            holder[key] = copy.deepcopy(other[place])
        except (LookupError, RecursionError):
            return data
    else:
        holder[key] = copy.deepcopy(rng.choice(ODD_VALUES))
    try:
        return json.dumps(document).encode()
    except (ValueError, RecursionError):
        return data


def _places(node: Any, depth: int = 0) -> Any:
    if depth > 50:
        return
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in list(items):
        yield node, key
        yield from _places(value, depth + 1)


def _token(data: bytes, rng: random.Random) -> bytes:
    place = rng.randint(0, len(data))
    return data[:place] + rng.choice(ODD_TOKENS) + data[place + rng.choice((0, 0, 1, 5)) :]


def _flip(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data or b"0")
    for _ in range(rng.choice((1, 1, 3, 20))):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _cut(data: bytes, rng: random.Random) -> bytes:
    first, second = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
    return data[:first] if rng.random() < 0.5 else data[:first] + data[second:]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    first, second = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
    return data[:second] + data[first:second] * rng.choice((1, 2, 8)) + data[second:]


def _swap(data: bytes, rng: random.Random) -> bytes:
    a, b, c = sorted(rng.randint(0, len(data)) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _number(data: bytes, rng: random.Random) -> bytes:
    """Replace a run of digits."""
    digits = [place for place, byte in enumerate(data) if 48 <= byte <= 57]
    if not digits:
        return _flip(data, rng)
    start = end = rng.choice(digits)
    while end < len(data) and 48 <= data[end] <= 57:
        end += 1
    value = rng.choice((b"-1", b"0", b"4294967296", b"1e400", b"99999999999999999999", b"0.0000001", b"NaN", b""))
    return data[:start] + value + data[end:]
