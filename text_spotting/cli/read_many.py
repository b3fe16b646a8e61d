"""Read words in very many images, in several processes; what was done stays, whatever dies.

Every input gives exactly one row in the parquet files of the output folder: its words, or what was wrong with it.
Started again, it goes on where it stopped. Needs the extra text-spotting[many].
"""

import argparse
from pathlib import Path

from text_spotting.cli.limits import add_limits
from text_spotting.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("--load-weights", type=Path, required=True, help="exported model: .xml, .bin, .onnx or folder")
    parser.add_argument(
        "--input",
        nargs="+",
        required=True,
        metavar="SOURCE",
        help="images, folders, patterns, parquet files; here, or as URLs that fsspec knows (s3://...)",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for parquet files")
    parser.add_argument("--column", default="image", help="column of parquet inputs: bytes or paths (default: image)")
    parser.add_argument("--workers", type=int, default=1, help="processes that read (default: 1)")
    parser.add_argument("--part-rows", type=int, default=500, help="images in a file of the output (default: 500)")
    add_limits(parser)
    parser.add_argument("--device", default="CPU", help="OpenVINO device (default: CPU)")
    parser.add_argument(
        "--precision", help="arithmetic: f32, bf16, f16, or int8 where the model has it (default: the fastest here)"
    )


def run(args: argparse.Namespace) -> None:
    """List, leave out what is done, read the rest, and count."""
    for flag, value in (("--workers", args.workers), ("--part-rows", args.part_rows)):
        if value < 1:
            raise UserError(f"{flag} {value}: must be 1 or more")
    _require_extra()
    import os

    from text_spotting.cli.progress import track
    from text_spotting.files.reading import read_word_list
    from text_spotting.files.writing import require_writable
    from text_spotting.many.inputs import find_shares
    from text_spotting.many.run import Reading, missing_shares, run_shares, take_folder
    from text_spotting.runtime.files import find_detector

    weights = find_detector(args.load_weights).resolve()
    require_writable(args.output / "part", "output")
    shares = find_shares(args.input, args.column, args.part_rows)
    threads = max(1, (os.cpu_count() or 1) // args.workers)
    words = None if args.lexicon is None else tuple(read_word_list(args.lexicon))
    reading = Reading(str(weights), args.device, args.precision, threads, args.part_rows, args.allow, words)
    if reading.limits:
        reading.open_spotter()  # says here, and before the folder is taken, what the model cannot read
    take_folder(args.output, shares, reading)
    missing = missing_shares(args.output, shares, args.part_rows)
    total = sum(share.rows for share in missing)
    if missing:
        added = run_shares(missing, args.output, reading, args.workers)
        for _ in track((None for rows in added for _ in range(rows)), total, "reading"):
            pass
    _report(args.output, sum(share.rows for share in shares))


def _require_extra() -> None:
    from importlib.util import find_spec

    if lacking := [name for name in ("ray", "pyarrow", "fsspec") if find_spec(name) is None]:
        raise UserError(f"{', '.join(lacking)} not installed: pip install 'text-spotting[many]'")


def _report(folder: Path, wanted: int) -> None:
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    from text_spotting.many.parts import find_parts

    rows = ds.dataset(list(map(str, find_parts(folder))))
    failed = rows.count_rows(filter=pc.is_valid(pc.field("error")))
    print(f"{folder}: {rows.count_rows()} of {wanted} images, {failed} of them could not be read (column error)")
