"""Reading one share: part files that are whole, and a record of what is being read, for when that kills the process."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from text_spotting.errors import UserError
from text_spotting.image_files import decode_image
from text_spotting.many.inputs import Share, open_input
from text_spotting.many.parts import part_path, word_entry, write_part
from text_spotting.words import Image, Word

Spotter = Callable[[Image], list[Word]]
TRIES = 3
"""An image that was being read when the process died so often is given up."""


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """One input.

    Attributes:
        source: its path, or the parquet file's.
        row: number in the parquet file's row group; -1 for a file of its own.
        content: bytes, where the parquet file has them.
    """

    source: str
    row: int = -1
    content: bytes | None = None


def read_share(share: Share, spotter: Spotter, folder: Path, part_rows: int) -> int:
    """Read what is still missing of a share and write it to ``folder``; return how many rows were added.

    A part that is there is whole and is passed over. Every input gives exactly one row.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record = CrashRecord(folder / f".share-{share.number:06d}.json")
    images, added, row = _images(share), 0, 0
    for part in range(-(-share.rows // part_rows)):
        chunk = list(islice(images, part_rows))
        path = part_path(folder, share, part)
        if not path.exists():
            rows = [_row(image, spotter, record, row + index) for index, image in enumerate(chunk)]
            write_part(path, rows)
            added += len(rows)
        row += len(chunk)
    record.clear()
    return added


class CrashRecord:
    """Remembers, beyond the death of a process, which row it was reading and how often one died at it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.deaths: dict[str, int] = {}
        try:
            left = json.loads(path.read_text())
            self.deaths = {str(row): int(times) for row, times in left["deaths"].items()}
            self.deaths[str(left["now"])] = self.deaths.get(str(left["now"]), 0) + 1
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            pass  # nothing left, or cut off: nobody died at an image

    def is_given_up(self, row: int) -> bool:
        """Whether to keep away from a row."""
        return self.deaths.get(str(row), 0) >= TRIES

    def reading(self, row: int) -> None:
        """A row is about to be read."""
        self.path.write_text(json.dumps({"now": row, "deaths": self.deaths}))

    def clear(self) -> None:
        """The share is done."""
        self.path.unlink(missing_ok=True)


def _row(image: ImageEntry, spotter: Spotter, record: CrashRecord, row: int) -> dict[str, Any]:
    words: list[Word] = []
    error: str | None = None
    if record.is_given_up(row):
        error = f"{TRIES} processes died while they read this image"
    else:
        record.reading(row)
        try:
            content = image.content
            if content is None:
                with open_input(image.source) as file:
                    content = file.read()
            words = spotter(decode_image(content, Path(image.source)))
        except (UserError, OSError, ValueError) as trouble:
            error = str(trouble)
    return {"source": image.source, "row": image.row, "words": [word_entry(word) for word in words], "error": error}


def _images(share: Share) -> Iterator[ImageEntry]:
    if not share.table:
        yield from (ImageEntry(path) for path in share.paths)
        return
    import pyarrow.parquet as pq

    with closing(open_input(share.table)) as file:
        batches = pq.ParquetFile(file).iter_batches(64, row_groups=[share.group], columns=[share.column])
        values = (value.as_py() for batch in batches for value in batch.column(0))
        for row, value in enumerate(values):
            if isinstance(value, str):
                yield ImageEntry(value, row)
            else:
                yield ImageEntry(share.table, row, value or b"")
