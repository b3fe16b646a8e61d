"""The PyTorch spotter: an image in, words out, by the same steps as the exported one."""

from pathlib import Path

import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from text_spotting.alphabet import Alphabet
from text_spotting.engine.checkpoints import load_weights, read_snapshot
from text_spotting.engine.torch_engine import TorchEngine
from text_spotting.manifest import Manifest
from text_spotting.runtime.files import RECOGNIZER
from text_spotting.runtime.spotter import Spotter
from text_spotting.workdir.config import import_custom_modules, load_config, mistakes_about

CPU = torch.device("cpu")


def build_network(config: Config) -> nn.Module:
    """The network of a template with initial weights.

    Raises:
        UserError: the configuration names what does not exist or does not fit together.
    """
    import text_spotting.models  # noqa: F401  (registers what the configuration names)

    init_default_scope("mmdet")
    import_custom_modules(config)
    with mistakes_about("model"):
        return MODELS.build(config.model)


def manifest_of(config: Config) -> Manifest:
    """What a template's configuration says about images and thresholds, for the PyTorch network."""
    normalise = config.model.data_preprocessor
    alphabet = Alphabet.of(config.get("alphabet"))
    return Manifest(
        input_size=tuple(config.input_size),
        keep_aspect=config.keep_aspect,
        mean=tuple(normalise.mean),
        std=tuple(normalise.std),
        to_rgb=normalise.bgr_to_rgb,
        embedded=False,
        detector="",
        encoder="",
        decoder="",
        max_words=config.model.test_cfg.rcnn.max_per_img,
        score_thr=config.model.test_cfg.rcnn.score_thr,
        text_thr=config.text_thr,
        text_weight=config.get("text_weight", 0.0),
        word_thr=config.get("word_thr", 0.0),
        mask_thr=config.model.test_cfg.rcnn.mask_thr_binary,
        recognizer=RECOGNIZER if "read_stretch" in config else "",
        read_stretch=config.get("read_stretch", 1.0),
        read_margin=config.get("margin", 0.0),
        symbols=alphabet.table,
        max_length=alphabet.max_length,
        fold_case=alphabet.fold_case,
    )


def torch_spotter(network: nn.Module, manifest: Manifest) -> Spotter:
    """A spotter that computes with a PyTorch network, a ``MaskTextSpotter``."""
    return Spotter(TorchEngine(network, manifest))


def load_network(config: Config, weights: str | Path, trust: bool = False) -> nn.Module:
    """The ``MaskTextSpotter`` in evaluation mode, on the CPU, with every weight from the snapshot.

    Raises:
        UserError: the snapshot is missing, damaged, of another template or incomplete.
    """
    snapshot = read_snapshot(weights, trust)
    network = build_network(config)
    load_weights(network, snapshot, weights)
    return network.eval()


def spotter_from_checkpoint(
    config: str | Path | Config, weights: str | Path, device: torch.device = CPU, trust: bool = False
) -> Spotter:
    """Build a template's network and load a snapshot.

    Raises:
        UserError: see ``load_network``.
    """
    config = config if isinstance(config, Config) else load_config(Path(config))
    return torch_spotter(load_network(config, weights, trust).to(device), manifest_of(config))
