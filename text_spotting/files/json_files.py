"""JSON that others wrote."""

import codecs
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from text_spotting.errors import UserError
from text_spotting.files.reading import read_bytes

Pairs = Callable[[list[tuple[str, Any]]], Any]


def load_json(path: Path, what: str = "annotation file", pairs: Pairs | None = None) -> Any:
    """Read a JSON file in UTF-8 with or without BOM, UTF-16 or UTF-32.

    Args:
        pairs: makes an object of its keys and values, as ``json.loads`` has it.

    Raises:
        UserError: it cannot be read or is not JSON: the message names the line where there is one.
    """
    data = read_bytes(path, what)
    try:
        content = data.decode("utf-8-sig" if data.startswith(codecs.BOM_UTF8) else json.detect_encoding(data))
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
    return parse_json(content, str(path), pairs)


def parse_json(content: str, source: str, pairs: Pairs | None = None) -> Any:
    """Parse JSON; ``source`` names it in messages.

    Raises:
        UserError: it is not JSON, nests too deeply, or holds a number of more than 4300 digits.
    """
    try:
        return json.loads(content, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        raise UserError(f"{source}:{error.lineno}: not valid JSON: {error.msg}") from error
    except RecursionError as error:
        raise UserError(f"{source}: nests too deeply to be read") from error
    except ValueError as error:
        raise UserError(f"{source}: holds a number of too many digits") from error


def load_object(path: Path, what: str = "annotation file") -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        UserError: see ``load_json``, or it holds something else.
    """
    document = load_json(path, what)
    if not isinstance(document, dict):
        raise UserError(f"{path}: expected a JSON object, found {type(document).__name__}")
    return document
