"""Make a small snapshot to ship: join checkpoints or means of some, drop training state, store half precision."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.errors import UserError

if TYPE_CHECKING:
    from text_spotting.engine.snapshot_files import Checkpoint


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("checkpoints", nargs="*", type=Path, help=".pth files; where two hold a tensor, the later wins")
    parser.add_argument(
        "--mean",
        nargs="+",
        action="append",
        default=[],
        metavar="FILE[:WEIGHT]",
        help="the weighted mean of like checkpoints, joined behind those named alone; may be given several times",
    )
    parser.add_argument("--config", type=Path, required=True, help="model.py of the template that the snapshot is for")
    parser.add_argument("--output", type=Path, required=True, help="snapshot to write")
    parser.add_argument("--epoch", type=int, required=True, help="finished epochs to note: the template's epochs")


def run(args: argparse.Namespace) -> None:
    """Join, check that the network is complete, write, and print what the template's entry needs."""
    import hashlib

    from text_spotting.engine.checkpoints import (
        half_precision,
        load_some_weights,
        missing_weights,
        weights_it_can_lack,
    )
    from text_spotting.engine.checkpoints import write_snapshot as write
    from text_spotting.engine.symbols import alphabet_of
    from text_spotting.engine.torch_spotter import build_network
    from text_spotting.workdir.config import load_config

    if not (args.checkpoints or args.mean):
        raise UserError("nothing to make a snapshot of: name checkpoints, or give --mean")
    network = build_network(load_config(args.config))
    joined: dict[str, object] = {}
    iterations = 0
    for checkpoint, source in _parts(args, weights_it_can_lack(network, ())):
        load_some_weights(network, checkpoint, source)
        joined.update(checkpoint["state_dict"])
        iterations += int(checkpoint.get("meta", {}).get("iter", 0))
    if missing := missing_weights(network, {"state_dict": joined}):
        raise UserError(f"{len(missing)} tensors are in none of the checkpoints, the first is {missing[0]}")
    meta = {"epoch": args.epoch, "iter": iterations, "alphabet": alphabet_of(network).to_dict()}
    write({"meta": meta, "state_dict": half_precision(network.state_dict())}, args.output)
    digest = hashlib.sha256(args.output.read_bytes()).hexdigest()
    print(f"{args.output}\n  size: {args.output.stat().st_size}\n  sha256: {digest}")


def _parts(args: argparse.Namespace, optional: set[str]) -> "Iterator[tuple[Checkpoint, str]]":
    """Checkpoints to join, and what to call them; a mean has trained for the iterations of all that it is of."""
    from text_spotting.engine.checkpoints import mean_of_weights, read_snapshot

    for path in args.checkpoints:
        yield read_snapshot(path), str(path)
    for entries in args.mean:
        named = [weighted(entry) for entry in entries]
        members = [(read_snapshot(path), path, weight) for path, weight in named]
        iterations = sum(int(member.get("meta", {}).get("iter", 0)) for member, _, _ in members)
        name = f"the mean of {', '.join(path for path, _ in named)}"
        yield (
            {
                "state_dict": mean_of_weights(members, optional),
                "meta": {**members[0][0].get("meta", {}), "iter": iterations},
            },
            name,
        )


def weighted(entry: str) -> tuple[str, float]:
    """A path and its weight from ``PATH:WEIGHT``; 1 where none is given.

    Raises:
        UserError: the weight is not a positive number.
    """
    path, mark, weight = entry.rpartition(":")
    if not mark:
        return entry, 1.0
    try:
        value = float(weight)
    except ValueError:
        return entry, 1.0
    if not 0 < value < float("inf"):
        raise UserError(f"{entry}: a weight is a positive number")
    return path, value
