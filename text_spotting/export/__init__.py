"""From a trained network to graphs that run without it: ONNX and OpenVINO IR, compressed when asked."""
