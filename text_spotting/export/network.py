"""Rebuilding a trained network from its configuration and snapshot."""

from pathlib import Path
from typing import Any

from text_spotting.engine.checkpoints import load_weights, read_snapshot
from text_spotting.engine.torch_spotter import build_network

SURE = 0.9
"""Score above which a proposal beyond the usual number is looked at, where a configuration does not say."""


def limit_words(config: Any, most: int) -> None:
    """Let at most ``most`` words of a picture be found; a picture with few words takes no longer for it."""
    proposals, boxes = config.model.test_cfg.rpn, config.model.test_cfg.rcnn
    if "sure_thr" not in proposals:
        proposals.update(usual=min(proposals.max_per_img, most), sure_thr=SURE)
    proposals.usual = min(proposals.usual, most)
    proposals.max_per_img = max(most, 1)
    # A word has several anchors, of which suppression leaves one or two.
    proposals.nms_pre = max(proposals.nms_pre, 3 * most // 2)
    boxes.max_per_img = config.max_words = most


def load_network(config: Any, weights: Path, trust: bool = False) -> Any:
    """Return the ``MaskTextSpotter`` in evaluation mode, on the CPU, with every weight from the snapshot.

    Raises:
        UserError: the snapshot is missing, damaged, of another template or incomplete.
    """
    snapshot = read_snapshot(weights, trust)
    network = build_network(config)
    load_weights(network, snapshot, weights)
    return network.eval()
