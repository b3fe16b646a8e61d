"""From a labelled image to the tensors that the network's loss takes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import Tensor

from text_spotting.alphabet import DEFAULT, START, Alphabet
from text_spotting.data.transforms import Sample
from text_spotting.words import Word

MIN_SIDE = 4.0
"""Words with a shorter side of their box, in network pixels, are don't care: nothing is left to see."""


def pack(sample: Sample, alphabet: Alphabet = DEFAULT) -> dict[str, Any]:
    """Return ``inputs`` (3, H, W) uint8 BGR and ``data_samples`` with the words.

    ``gt_instances`` has ``bboxes`` (n, 4), ``labels`` (n,), ``polygons`` (n, K, 2) and ``texts`` (n, T), T the
    alphabet's ``max_length``;
    ``ignored_instances`` has the ``bboxes`` of don't-care regions.
    """
    height, width = sample.image.shape[:2]
    wanted = [word for word in sample.words if _learnable(word, width, height)]
    ignored = [word for word in sample.words if not _learnable(word, width, height)]
    packed = DetDataSample(metainfo=_metainfo(sample, width, height))
    packed.gt_instances = InstanceData(
        bboxes=_boxes(wanted, width, height),
        labels=torch.zeros(len(wanted), dtype=torch.int64),
        polygons=pad_polygons(wanted),
        texts=pad_texts([word.text for word in wanted], alphabet),
    )
    packed.ignored_instances = InstanceData(bboxes=_boxes(ignored, width, height))
    inputs = torch.from_numpy(np.ascontiguousarray(sample.image.transpose(2, 0, 1)))
    return {"inputs": inputs, "data_samples": packed}


def _metainfo(sample: Sample, width: int, height: int) -> dict[str, Any]:
    return {"img_path": sample.source, "img_shape": (height, width), "scale_factor": (1.0, 1.0)}


def _learnable(word: Word, width: int, height: int) -> bool:
    if word.ignore:
        return False
    x1, y1, x2, y2 = word.box
    return min(min(x2, width) - max(x1, 0), min(y2, height) - max(y1, 0)) >= MIN_SIDE


def _boxes(words: Sequence[Word], width: int, height: int) -> Tensor:
    boxes = torch.tensor([word.box for word in words], dtype=torch.float32).reshape(-1, 4)
    boxes[:, 0::2] = boxes[:, 0::2].clamp(0, width)
    boxes[:, 1::2] = boxes[:, 1::2].clamp(0, height)
    return boxes


def pad_polygons(words: Sequence[Word]) -> Tensor:
    """(n, K, 2) corner points; polygons with fewer than K points repeat their last one."""
    corners = max((len(word.polygon) for word in words), default=4)
    padded = [np.pad(word.polygon, ((0, corners - len(word.polygon)), (0, 0)), mode="edge") for word in words]
    return torch.from_numpy(np.array(padded, dtype=np.float32).reshape(-1, corners, 2))


def pad_texts(texts: Sequence[str], alphabet: Alphabet = DEFAULT) -> Tensor:
    """(n, max_length) symbol indices closed by the stop symbol and padded with the start symbol.

    A text that is empty, too long to be emitted or holds foreign characters gives a row of padding: a word
    that is found, not read.
    """
    padded = torch.full((len(texts), alphabet.max_length), START, dtype=torch.int64)
    for row, text in zip(padded, texts, strict=True):
        indices = alphabet.encode(text)
        if len(indices) <= alphabet.max_length:
            row[: len(indices)] = torch.tensor(indices, dtype=torch.int64)
    return padded
