"""What is to be read: folders, patterns, lists in parquet files, here or behind a URL, cut into shares."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from text_spotting.errors import UserError
from text_spotting.image_files import IMAGE_SUFFIXES

PARQUET = (".parquet", ".pq")


@dataclass(frozen=True, slots=True)
class Share:
    """Images that one process reads, in this order.

    Attributes:
        number: of the share; part files are named after it.
        rows: how many images.
        paths: the images; empty where they lie in a parquet file.
        table: the parquet file otherwise.
        group: number of the row group in it.
        column: of the images' bytes or paths.
    """

    number: int
    rows: int
    paths: Sequence[str] = ()
    table: str = ""
    group: int = 0
    column: str = ""

    def to_json(self) -> str:
        """On one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Share":
        """What ``to_json`` wrote."""
        return cls(**json.loads(text))


def find_shares(inputs: Sequence[str], column: str, rows: int) -> list[Share]:
    """Cut the inputs into shares.

    Args:
        inputs: image files, folders, patterns (``**`` recurses), parquet files; here, or behind a URL that fsspec
            knows (``s3://bucket/folder``).
        column: where parquet files have images as bytes, or their paths.
        rows: images in a share; those of a parquet file are its row groups.

    Raises:
        UserError: an input is not there, holds nothing, or lacks the column.
    """
    paths: list[str] = []
    tables: list[str] = []
    for one in inputs:
        found = _expand(one)
        tables += [path for path in found if path.lower().endswith(PARQUET)]
        paths += [path for path in found if not path.lower().endswith(PARQUET)]
    shares = [Share(0, len(paths[at : at + rows]), paths[at : at + rows]) for at in range(0, len(paths), rows)]
    for table in tables:
        shares += _groups(table, column)
    return [Share(**{**asdict(share), "number": number}) for number, share in enumerate(shares)]


def digest(shares: Sequence[Share]) -> str:
    """What tells one set of inputs from another."""
    sha = hashlib.sha256()
    for share in shares:
        sha.update(share.to_json().encode(errors="surrogatepass") + b"\n")
    return sha.hexdigest()


def _expand(what: str) -> list[str]:
    import fsspec

    try:
        files, path = fsspec.core.url_to_fs(what)
        names = _names(files, path)
    except (OSError, ValueError, ImportError) as error:
        raise UserError(f"{what}: cannot be listed ({error})", about="input") from error
    if not names:
        raise UserError(f"{what}: no such file, folder or pattern with images or parquet files", about="input")
    return [files.unstrip_protocol(name) if "://" in what else name for name in names]


def _names(files: Any, path: str) -> list[str]:
    if any(sign in path for sign in "*?[") and not files.exists(path):
        return sorted(name for name in files.glob(path) if _is_wanted(name))
    if files.isdir(path):
        return sorted(name for name in files.ls(path, detail=False) if _is_wanted(name))
    return [path] if files.exists(path) else []


def _is_wanted(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in (*IMAGE_SUFFIXES, *PARQUET) and not path.name.startswith(".")


def _groups(table: str, column: str) -> Iterator[Share]:
    import pyarrow.parquet as pq

    with open_input(table) as file:
        try:
            parquet = pq.ParquetFile(file)
        except (OSError, ValueError) as error:
            raise UserError(f"{table}: not a parquet file ({error})", about="input") from error
        if column not in parquet.schema_arrow.names:
            there = ", ".join(parquet.schema_arrow.names)
            raise UserError(f"{table}: has no column {column!r}; choose one of {there}", about="column")
        for group in range(parquet.num_row_groups):
            yield Share(0, parquet.metadata.row_group(group).num_rows, (), table, group, column)


def open_input(path: str) -> Any:
    """Open a file here or behind a URL for reading bytes."""
    import fsspec

    return fsspec.open(path, "rb").open()
