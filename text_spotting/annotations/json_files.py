"""Loading other people's JSON with errors that name the file."""

import json
from pathlib import Path
from typing import Any

from text_spotting.errors import UserError


def load_object(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object, in UTF-8 with or without BOM.

    Raises:
        UserError: if the file is missing, is not UTF-8, is not JSON, or holds something else.
    """
    if not path.is_file():
        raise UserError(f"annotation file {path} does not exist")
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise UserError(f"{path}:{error.lineno}: not valid JSON: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
    if not isinstance(document, dict):
        raise UserError(f"{path}: expected a JSON object, found {type(document).__name__}")
    return document
