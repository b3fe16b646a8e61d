"""Part files: what was read, in parquet, one row for each input.

Columns: ``source``, path of the image or of the parquet file that it lies in; ``row``, its number in that file's row
group, -1 for a file of its own; ``words`` with ``text``, ``score``, ``text_score`` and ``polygon`` (x, y, x, y, ... in
pixels of the image); ``error``, why it could not be read.
"""

from pathlib import Path
from typing import Any

import numpy as np

from text_spotting.errors import UserError, require_package
from text_spotting.files.values import MalformedError, number, points
from text_spotting.files.writing import write_whole
from text_spotting.many.inputs import Share
from text_spotting.words import Word

_PARTS = "share-*.parquet"


def part_path(folder: Path, share: Share, part: int) -> Path:
    """Where a part of a share is written."""
    return folder / f"share-{share.number:06d}-part-{part:05d}.parquet"


def word_entry(word: Word) -> dict[str, Any]:
    """A word as ``words`` has it."""
    polygon = [float(value) for value in word.polygon.ravel()]
    return {"text": word.text, "score": float(word.score), "text_score": float(word.text_score), "polygon": polygon}


def schema() -> Any:
    """Columns of the part files."""
    import pyarrow as pa

    word = pa.struct(
        [
            ("text", pa.string()),
            ("score", pa.float32()),
            ("text_score", pa.float32()),
            ("polygon", pa.list_(pa.float32())),
        ]
    )
    columns = [("source", pa.string()), ("row", pa.int64()), ("words", pa.list_(word)), ("error", pa.string())]
    return pa.schema(columns)


def write_part(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows in one piece."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(rows, schema())
    write_whole(path, lambda temporary: pq.write_table(table, temporary))


def find_parts(folder: Path) -> list[Path]:
    """Part files of a folder; none where it holds something else."""
    return sorted(folder.glob(_PARTS))


def read_parts(folder: Path) -> dict[Path, list[Word]]:
    """Words by image; those that could not be read are left out.

    Raises:
        UserError: pyarrow is not installed, a file is broken, images lie in parquet files and so have no names, or
            one is there twice.
    """
    parquet = require_package("pyarrow.parquet", "reading part files", "text-spotting[many]")
    found: dict[Path, list[Word]] = {}
    for path in find_parts(folder):
        try:
            rows = parquet.read_table(path).select(schema().names).cast(schema()).to_pylist()
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"{path}: not a part file ({error})") from error
        for row in rows:
            if row["row"] is None or row["row"] >= 0 or not row["source"]:
                raise UserError(f"{path}: its images lie in {row['source']} and have no names to be told by")
            image = Path(row["source"])
            if image in found:
                raise UserError(f"{path}: {image} was read twice; keep one of both")
            if row["error"] is None:
                found[image] = [_word(entry, path) for entry in row["words"] or ()]
    return found


def _word(entry: dict[str, Any], path: Path) -> Word:
    try:
        score, text_score = number(entry["score"]), number(entry["text_score"])
        return Word(points(entry["polygon"]).astype(np.float32), entry["text"] or "", score, text_score=text_score)
    except (MalformedError, TypeError) as error:
        raise UserError(f"{path}: holds a word that is none ({error})") from error
