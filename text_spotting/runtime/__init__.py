"""Run exported models with nothing but numpy, OpenCV and OpenVINO (or onnxruntime)."""
