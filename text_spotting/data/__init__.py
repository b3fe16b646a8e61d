"""Training data: data sets, transforms and samplers on the torch/mmdet side."""
