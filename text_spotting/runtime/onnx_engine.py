"""The plain ONNX graphs on onnxruntime, for machines and checks without OpenVINO."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from text_spotting.errors import UserError
from text_spotting.manifest import KEY, Manifest
from text_spotting.postprocess import greedy_decode
from text_spotting.preprocess import to_tensor
from text_spotting.runtime.engine import Detections
from text_spotting.runtime.files import text_graphs
from text_spotting.words import FloatArray, Image


class OnnxEngine:
    """Detector, encoder and decoder step as onnxruntime sessions on the CPU.

    Raises:
        UserError: onnxruntime is not installed, or a graph is missing, unreadable or without manifest.
    """

    def __init__(self, detector: Path, *, threads: int = 0) -> None:
        self._detector = open_session(detector, threads)
        self.manifest = _read_manifest(self._detector, detector)
        encoder, decoder = text_graphs(detector, self.manifest)
        self._encoder = open_session(encoder, threads)
        self._decoder = open_session(decoder, threads)
        hidden = next(port for port in self._decoder.get_inputs() if port.name == "prev_hidden")
        self.hidden_size = int(hidden.shape[2])

    def detect(self, canvas: Image) -> Detections:
        return Detections(*self._detector.run(Detections._fields, {"image": to_tensor(canvas, self.manifest)}))

    def read(self, text_features: FloatArray) -> tuple[NDArray[np.int64], FloatArray]:
        count = len(text_features)
        if not count:
            return np.zeros((0, 0), np.int64), np.zeros(0, np.float32)
        (encoded,) = self._encoder.run(["output"], {"input": text_features})
        positions = np.ascontiguousarray(encoded.reshape(*encoded.shape[:2], -1).transpose(0, 2, 1))

        def step(symbols: NDArray[np.int64], hidden: FloatArray) -> tuple[FloatArray, FloatArray]:
            feeds = {"prev_symbol": symbols, "prev_hidden": hidden, "encoder_outputs": positions}
            logits, hidden = self._decoder.run(["output", "hidden"], feeds)
            return logits, hidden

        state: FloatArray = np.zeros((1, count, self.hidden_size), np.float32)
        return greedy_decode(step, state, count, self.manifest)


def open_session(path: Path, threads: int = 0) -> Any:
    """Return an onnxruntime session.

    Raises:
        UserError: onnxruntime is not installed or refuses the file.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError(f"{path}: .onnx needs onnxruntime (pip install onnxruntime), or use the .xml") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exception classes share no base but this one
        raise UserError(f"{path}: onnxruntime cannot read it ({str(error).splitlines()[0]})") from error


def _read_manifest(session: Any, path: Path) -> Manifest:
    text = session.get_modelmeta().custom_metadata_map.get(KEY)
    if text is None:
        raise UserError(f"{path}: holds no manifest; export the model with this toolkit's tools/export.py")
    return Manifest.from_json(text, str(path))
