"""Make a small snapshot to ship: join checkpoints, drop training state, store weights in half precision."""

import argparse
from pathlib import Path

from text_spotting.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("checkpoints", nargs="+", type=Path, help=".pth files; where two hold a tensor, the later wins")
    parser.add_argument("--config", type=Path, required=True, help="model.py of the template that the snapshot is for")
    parser.add_argument("--output", type=Path, required=True, help="snapshot to write")
    parser.add_argument("--epoch", type=int, required=True, help="finished epochs to note: the template's epochs")


def run(args: argparse.Namespace) -> None:
    """Join, check that the network is complete, write, and print what the template's entry needs."""
    import hashlib

    from text_spotting.engine.checkpoints import half_precision, load_some_weights, missing_weights, read_snapshot
    from text_spotting.engine.checkpoints import write_snapshot as write
    from text_spotting.engine.symbols import alphabet_of
    from text_spotting.engine.torch_spotter import build_network
    from text_spotting.workdir.config import load_config

    network = build_network(load_config(args.config))
    joined: dict[str, object] = {}
    iterations = 0
    for path in args.checkpoints:
        checkpoint = read_snapshot(path)
        load_some_weights(network, checkpoint, path)
        joined.update(checkpoint["state_dict"])
        iterations += int(checkpoint.get("meta", {}).get("iter", 0))
    if missing := missing_weights(network, {"state_dict": joined}):
        raise UserError(f"{len(missing)} tensors are in none of the checkpoints, the first is {missing[0]}")
    meta = {"epoch": args.epoch, "iter": iterations, "alphabet": alphabet_of(network).to_dict()}
    write({"meta": meta, "state_dict": half_precision(network.state_dict())}, args.output)
    digest = hashlib.sha256(args.output.read_bytes()).hexdigest()
    print(f"{args.output}\n  size: {args.output.stat().st_size}\n  sha256: {digest}")
