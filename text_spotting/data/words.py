"""Single-word crops for training the recogniser without a detector."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmdet.registry import DATASETS
from numpy.random import Generator
from torch.utils.data import Dataset

from text_spotting.alphabet import encode
from text_spotting.annotations.word_crops import read_word_crops
from text_spotting.data.dataset import build_transforms
from text_spotting.data.packing import pad_texts
from text_spotting.data.transforms import Sample

HARDNESS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Steps of the ramp from easy to hard words."""


@DATASETS.register_module()
class WordCropDataset(Dataset):
    """Word crops, drawn on the fly or real, resized to what the recogniser pools.

    Args:
        size: height, width of a pooled word.
        length: crops in an epoch.
        crop_lists: (list file, picture folder) pairs, see ``read_word_crops``.
        real_share: probability of a real crop; the others are rendered.
        transforms: configs of the transforms in ``data.transforms``.
        options: fields of ``synth.crops.WordOptions``.
        ramp: crops over which rendered words turn from easy to as hard as in photos.

    Items have ``inputs`` (3, height, width) uint8 BGR and ``texts`` (MAX_LENGTH,).
    """

    def __init__(
        self,
        size: tuple[int, int],
        length: int,
        crop_lists: Sequence[tuple[str, str]] = (),
        real_share: float = 0.0,
        transforms: Sequence[dict[str, Any]] = (),
        options: dict[str, Any] | None = None,
        ramp: int = 0,
        seed: int = 0,
    ) -> None:
        from text_spotting.synth.crops import WordGenerator, WordOptions

        self.size = size
        self.length = length
        crops = [crop for listing, root in crop_lists for crop in read_word_crops(listing, root)]
        self.crops = [(Path(path), text) for path, text in crops if encode(text)]
        self.real_share = real_share if self.crops else 0.0
        self.transforms = build_transforms(transforms)
        self.generators = [WordGenerator(WordOptions(**(options or {}), hardness=hardness)) for hardness in HARDNESS]
        self.ramp = ramp
        self.seed = seed

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, Any]:
        rng = np.random.default_rng((self.seed, index))
        sample, text = self._draw(index, rng)
        for transform in self.transforms:
            sample = transform(sample, rng)
        height, width = self.size
        shrinks = sample.image.shape[0] > height
        crop = cv2.resize(sample.image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        inputs = torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1)))
        return {"inputs": inputs, "texts": pad_texts([text])[0]}

    def _draw(self, index: int, rng: Generator) -> tuple[Sample, str]:
        if rng.random() >= self.real_share:
            return self._render(index, rng)
        path, text = self.crops[rng.integers(len(self.crops))]
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise OSError(f"cannot read word crop {path}")
        return Sample(image, ()), text

    def _render(self, index: int, rng: Generator) -> tuple[Sample, str]:
        step = len(HARDNESS) - 1 if index >= self.ramp else index * len(HARDNESS) // self.ramp
        while True:
            image, text = self.generators[step](int(rng.integers(2**31)))
            if encode(text):
                return Sample(image, ()), text
