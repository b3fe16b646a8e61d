"""Training data: data sets, transforms and samplers on the torch/mmdet side."""

from text_spotting.data.dataset import PhotoSource, SpottingDataset, SyntheticSource

__all__ = ["PhotoSource", "SpottingDataset", "SyntheticSource"]
