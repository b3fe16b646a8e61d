"""Running shares on Ray Data: in local processes unless there is a cluster."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from text_spotting.errors import UserError
from text_spotting.files.writing import write_whole
from text_spotting.many.inputs import Share, digest
from text_spotting.many.work import part_path, read_share

RECORD = "_read-many.json"


@dataclass(frozen=True, slots=True)
class Reading:
    """How pictures are read.

    Attributes:
        weights: exported model.
        device, precision: see ``runtime.spotter.Spotter``.
        threads: cores for each process; 0 is all.
        part_rows: rows of a part file, which is what may have to be done again.
    """

    weights: str
    device: str = "CPU"
    precision: str | None = None
    threads: int = 0
    part_rows: int = 500


class ShareReader:
    """What Ray starts in every process: loads the model once and reads one share after another."""

    def __init__(self, reading: Reading, folder: str) -> None:
        from text_spotting.runtime.spotter import Spotter

        self.folder, self.part_rows = Path(folder), reading.part_rows
        self.spotter = Spotter(reading.weights, reading.device, reading.precision, threads=reading.threads)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[int]]:
        shares = [Share.from_json(str(text)) for text in batch["share"]]
        return {"rows": [read_share(share, self.spotter, self.folder, self.part_rows) for share in shares]}


def take_folder(folder: Path, shares: Sequence[Share], reading: Reading) -> None:
    """Make the output folder this run's own.

    Raises:
        UserError: it holds results of other pictures, or of another model.
    """
    own = {"inputs": digest(shares), "weights": reading.weights, "part_rows": reading.part_rows}
    record = folder / RECORD
    if record.is_file():
        try:
            known = json.loads(record.read_text())
        except ValueError as error:
            raise UserError(f"{record} is broken; choose another folder", about="output") from error
        if known != own:
            changed = ", ".join(key for key in own if known.get(key) != own[key])
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

    A process that dies is started again, and its share with it.
    """
    import ray
    from ray.data import DataContext

    if not ray.is_initialized():
        ray.init(address="local", num_cpus=workers + 1, include_dashboard=False, log_to_driver=False)
    DataContext.get_current().enable_progress_bars = False
    rows = ray.data.from_items([{"share": share.to_json()} for share in shares], override_num_blocks=len(shares))
    read = rows.map_batches(
        ShareReader,
        fn_constructor_args=(reading, str(folder.resolve())),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=workers),
        max_restarts=-1,
        max_task_retries=-1,
    )
    for row in read.iter_rows():
        yield int(row["rows"])
