"""Training data: data sets, transforms and samplers on the torch/mmdet side."""

import text_spotting.ops  # noqa: F401  (before mmdet)
from text_spotting.data.dataset import PhotoSource, SpottingDataset, SyntheticSource
from text_spotting.data.sampling import EpochSampler
from text_spotting.data.word_crops import WordCropDataset

__all__ = ["EpochSampler", "PhotoSource", "SpottingDataset", "SyntheticSource", "WordCropDataset"]
