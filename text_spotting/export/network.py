"""Rebuilding a trained network from its configuration and snapshot."""

from pathlib import Path
from typing import Any

from mmengine.config import Config

from text_spotting.engine.checkpoints import load_weights, read_snapshot
from text_spotting.engine.torch_spotter import build_network
from text_spotting.errors import UserError


def load_config(path: Path) -> Any:
    """Return the configuration.

    Raises:
        UserError: missing or broken.
    """
    if not path.is_file():
        raise UserError(f"--config {path} does not exist")
    try:
        return Config.fromfile(str(path), import_custom_modules=False)
    except Exception as error:  # a configuration is a program and can fail in any way
        raise UserError(f"{path}: the configuration does not load ({type(error).__name__}: {error})") from error


def load_network(config: Any, weights: Path, trust: bool = False) -> Any:
    """Return the ``MaskTextSpotter`` in evaluation mode, on the CPU, with every weight from the snapshot.

    Raises:
        UserError: the snapshot is missing, damaged, of another template or incomplete.
    """
    snapshot = read_snapshot(weights, trust)
    network = build_network(config)
    load_weights(network, snapshot, weights)
    return network.eval()
