"""Reading shares in several processes into a folder of their own."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.errors import UserError
from text_spotting.files.json_files import load_object
from text_spotting.files.writing import write_whole
from text_spotting.many.inputs import Share, digest
from text_spotting.many.parts import part_path
from text_spotting.many.work import read_share
from text_spotting.processes import run_on_ray

if TYPE_CHECKING:
    from text_spotting.runtime.spotter import Spotter

RECORD = "_read-many.json"


@dataclass(frozen=True, slots=True)
class Reading:
    """How images are read.

    Attributes:
        weights: exported model.
        device, precision: see ``runtime.spotter.Spotter``.
        threads: cores for each process; 0 is all.
        part_rows: rows of a part file, which is what may have to be done again.
        allow, lexicon: characters and words to read, see ``runtime.spotter.Spotter``; None for all.
    """

    weights: str
    device: str = "CPU"
    precision: str | None = None
    threads: int = 0
    part_rows: int = 500
    allow: str | None = None
    lexicon: tuple[str, ...] | None = None

    @property
    def limits(self) -> dict[str, str]:
        """What limits readings, for the record of a folder: characters, and a hash of the words."""
        words = None if self.lexicon is None else hashlib.sha256("\n".join(self.lexicon).encode()).hexdigest()
        return {name: value for name, value in (("allow", self.allow), ("lexicon", words)) if value is not None}

    def open_spotter(self) -> "Spotter":
        """Load the model.

        Raises:
            UserError: see ``runtime.spotter.Spotter``.
        """
        from text_spotting.runtime.spotter import Spotter

        return Spotter(
            self.weights,
            self.device,
            self.precision,
            threads=self.threads,
            allow=self.allow,
            lexicon=self.lexicon,
        )


class ShareReader:
    """What runs in every process: loads the model once and reads one share after another."""

    def __init__(self, reading: Reading, folder: str) -> None:
        self.folder, self.part_rows = Path(folder), reading.part_rows
        self.spotter = reading.open_spotter()

    def __call__(self, share: str) -> int:
        return read_share(Share.from_json(share), self.spotter, self.folder, self.part_rows)


def take_folder(folder: Path, shares: Sequence[Share], reading: Reading) -> None:
    """Make the output folder this run's own.

    Raises:
        UserError: it holds results of other images, of another model, or within other limits.
    """
    own = {"inputs": digest(shares), "weights": reading.weights, "part_rows": reading.part_rows, **reading.limits}
    record = folder / RECORD
    if record.is_file():
        try:
            known = load_object(record, "record")
        except UserError as error:
            raise UserError(f"{error}; choose another folder", about="output") from error
        if known != own:
            changed = ", ".join(key for key in {**own, **known} if known.get(key) != own.get(key))
            message = f"{folder}: holds results of another run ({changed} differ); choose another one"
            raise UserError(message, about="output")
        return
    write_whole(record, json.dumps(own).encode())


def missing_shares(folder: Path, shares: Sequence[Share], part_rows: int) -> list[Share]:
    """Shares of which a part is not there yet."""
    return [
        share
        for share in shares
        if not all(part_path(folder, share, part).exists() for part in range(-(-share.rows // part_rows)))
    ]


def run_shares(shares: Sequence[Share], folder: Path, reading: Reading, workers: int) -> Iterator[int]:
    """Read shares in ``workers`` processes, yielding how many rows each has added.

    Always on Ray, also with one: an image may kill the process that reads it, which is then started again
    until that image is given up (``many.work``), so without a limit here.
    """
    arguments = (reading, str(folder.resolve()))
    return run_on_ray(ShareReader, arguments, [share.to_json() for share in shares], workers, most_deaths=-1)
