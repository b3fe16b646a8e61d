"""Inference on an exported model with numpy, opencv and openvino only."""
