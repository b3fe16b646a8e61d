"""ONNX and OpenVINO export, verification and compression."""
