"""The PyTorch spotter: a picture in, words out, by the same steps as the exported one."""

from pathlib import Path
from typing import Any

import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from text_spotting.alphabet import STOP
from text_spotting.engine.checkpoints import load_weights, read_snapshot
from text_spotting.manifest import Manifest
from text_spotting.postprocess import select, to_text, to_words
from text_spotting.preprocess import prepare, to_bgr
from text_spotting.words import Word

CPU = torch.device("cpu")


def build_network(config: Config) -> nn.Module:
    """The network of a template with initial weights."""
    import text_spotting.models  # noqa: F401  (registers what the configuration names)

    init_default_scope("mmdet")
    return MODELS.build(config.model)


def manifest_of(config: Config) -> Manifest:
    """What a template's configuration says about pictures and thresholds, for the PyTorch network."""
    normalise = config.model.data_preprocessor
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
    )


class TorchSpotter:
    """Finds and reads words with a PyTorch network.

    Args:
        network: a ``MaskTextSpotter``; it is switched to evaluation.
        manifest: how to prepare pictures and which words to keep.
    """

    def __init__(self, network: nn.Module, manifest: Manifest) -> None:
        self.network: Any = network.eval()
        self.manifest = manifest
        self.device = next(network.parameters()).device

    @classmethod
    def from_checkpoint(
        cls, config: str | Path | Config, weights: str | Path, device: torch.device = CPU, trust: bool = False
    ) -> "TorchSpotter":
        """Build a template's network and load a snapshot.

        Raises:
            UserError: see ``read_snapshot`` and ``load_weights``.
        """
        config = config if isinstance(config, Config) else Config.fromfile(config, import_custom_modules=False)
        network = build_network(config)
        load_weights(network, read_snapshot(weights, trust), weights)
        return cls(network.to(device), manifest_of(config))

    @torch.no_grad()
    def __call__(self, image: Any) -> list[Word]:
        """Return the words of a picture (H, W, 3) uint8 BGR, in its pixels.

        Raises:
            UserError: not a picture.
        """
        picture = to_bgr(image)
        tensor, scale = prepare(picture, self.manifest)
        found = self.network.detect(torch.from_numpy(tensor).to(self.device))
        boxes = found.boxes.cpu().numpy()
        rows = select(boxes, self.manifest)
        texts, confidences = self._read(found.text_features[torch.from_numpy(rows).to(self.device)])
        return to_words(
            boxes[rows],
            found.masks.cpu().numpy()[rows],
            texts,
            confidences,
            scale=scale,
            image_size=(picture.shape[1], picture.shape[0]),
            manifest=self.manifest,
        )

    def _read(self, features: torch.Tensor) -> tuple[list[str], list[float]]:
        if not len(features):
            return [], []
        symbols, probabilities = (values.cpu() for values in self.network.roi_head.text_head.read(features))
        # The stop symbol counts, what follows does not.
        before_end = (symbols == STOP).cumsum(dim=1) - (symbols == STOP).int() == 0
        confidences = probabilities.where(before_end, torch.ones(())).prod(dim=1)
        return [to_text(word, self.manifest) for word in symbols.numpy()], confidences.tolist()
