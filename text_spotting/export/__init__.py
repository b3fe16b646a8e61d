"""From a trained network to graphs that run without it: ONNX and OpenVINO IR, compressed when asked."""

import text_spotting.ops  # noqa: F401  (before mmdet)
