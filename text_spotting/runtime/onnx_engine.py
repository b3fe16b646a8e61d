"""The plain ONNX graphs on onnxruntime, for machines and checks without OpenVINO."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from text_spotting.contract import (
    ENCODED,
    ENCODER_OUTPUTS,
    HIDDEN,
    IMAGE,
    LOGITS,
    PREVIOUS_HIDDEN,
    PREVIOUS_SYMBOL,
    PROBABILITIES,
    WORDS,
    Detections,
    flatten_positions,
)
from text_spotting.errors import UserError
from text_spotting.manifest import KEY, Manifest
from text_spotting.preprocess import normalise, to_tensor
from text_spotting.runtime.files import graph_files
from text_spotting.words import FloatArray, Image


class OnnxEngine:
    """The graphs as onnxruntime sessions on the CPU.

    Raises:
        UserError: onnxruntime is not installed, or a graph is missing, unreadable or without manifest.
    """

    parallel = 1

    def __init__(self, detector: Path, *, threads: int = 0) -> None:
        self._detector = open_session(detector, threads)
        self.manifest = _read_manifest(self._detector, detector)
        files = graph_files(detector, self.manifest)
        self._encoder = open_session(files.encoder, threads)
        self._decoder = open_session(files.decoder, threads)
        self._recognizer = open_session(files.recognizer, threads) if files.recognizer else None
        hidden = next(port for port in self._decoder.get_inputs() if port.name == PREVIOUS_HIDDEN)
        self.hidden_size = int(hidden.shape[2])

    def detect(self, canvas: Image) -> Detections[FloatArray]:
        return Detections(*self._detector.run(Detections._fields, {IMAGE: to_tensor(canvas, self.manifest)}))

    @contextmanager
    def encode(self, text_features: FloatArray) -> Iterator[FloatArray]:
        (encoded,) = self._encoder.run([ENCODED], {WORDS: text_features})
        yield np.ascontiguousarray(flatten_positions(encoded))

    def step(self, memory: FloatArray, symbols: NDArray[np.int64], hidden: FloatArray) -> tuple[FloatArray, FloatArray]:
        feeds = {PREVIOUS_SYMBOL: symbols, PREVIOUS_HIDDEN: hidden, ENCODER_OUTPUTS: memory}
        logits, hidden = self._decoder.run([LOGITS, HIDDEN], feeds)
        return logits, hidden

    def recognize(self, crops: Image) -> FloatArray:
        assert self._recognizer is not None, "the manifest names no recognizer"
        (columns,) = self._recognizer.run([PROBABILITIES], {WORDS: normalise(crops, self.manifest)})
        return np.asarray(columns, np.float32)


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
    # Each graph has threads of its own; while one works, those of the others shall not wait at full speed.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exception classes share no base but this one
        raise UserError(f"{path}: onnxruntime cannot read it ({str(error).splitlines()[0]})") from error


def _read_manifest(session: Any, path: Path) -> Manifest:
    text = session.get_modelmeta().custom_metadata_map.get(KEY)
    if text is None:
        raise UserError(f"{path}: holds no manifest; export the model with this toolkit's tools/export.py")
    return Manifest.from_json(text, str(path))
