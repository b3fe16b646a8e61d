"""Rebuilding a trained network from its configuration and snapshot."""

from pathlib import Path
from typing import Any

from text_spotting.engine.checkpoints import load_weights, read_snapshot
from text_spotting.engine.torch_spotter import build_network


def load_network(config: Any, weights: Path, trust: bool = False) -> Any:
    """Return the ``MaskTextSpotter`` in evaluation mode, on the CPU, with every weight from the snapshot.

    Raises:
        UserError: the snapshot is missing, damaged, of another template or incomplete.
    """
    snapshot = read_snapshot(weights, trust)
    network = build_network(config)
    load_weights(network, snapshot, weights)
    return network.eval()
