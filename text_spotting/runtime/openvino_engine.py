"""The three exported graphs on OpenVINO, arranged for speed."""

from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino.preprocess import PrePostProcessor

from text_spotting.errors import UserError
from text_spotting.postprocess import greedy_decode
from text_spotting.preprocess import raw_input
from text_spotting.runtime.engine import Detections
from text_spotting.runtime.files import text_graphs
from text_spotting.runtime.hoisting import hoist
from text_spotting.runtime.session import Target, compile_graph, infer, read_graph, read_manifest
from text_spotting.words import FloatArray, Image

DETECTOR_OUTPUTS = ("boxes", "labels", "masks", "text_features")
DECODER_INPUTS = ("prev_symbol", "prev_hidden", "encoder_outputs")
DECODER_OUTPUTS = ("output", "hidden")


class OpenVinoEngine:
    """Detector, encoder and decoder step, compiled for one device.

    The files keep the shapes that other clients expect; here the text graphs are reshaped to take all words
    of a picture at once, what decoder steps have in common is computed once, and the detector takes the
    picture's bytes as they are.

    Raises:
        UserError: a missing, foreign or mismatched graph, or a device or precision that is not there.
    """

    def __init__(self, detector: Path, target: Target) -> None:
        core = ov.Core()
        detector_graph = read_graph(core, detector, ["image"], DETECTOR_OUTPUTS)
        self.manifest = read_manifest(detector_graph, detector)
        target = target.unless_asked(self.manifest.precision)
        encoder_path, decoder_path = text_graphs(detector, self.manifest)
        encoder_graph = read_graph(core, encoder_path, ["input"], ["output"])
        decoder_graph = read_graph(core, decoder_path, DECODER_INPUTS, DECODER_OUTPUTS)
        _check_fit(detector_graph, detector, encoder_graph, encoder_path)
        self.hidden_size = decoder_graph.input("prev_hidden").partial_shape[2].get_length()
        self.text_feature_shape = tuple(size.get_length() for size in list(encoder_graph.input(0).partial_shape)[1:])
        _free_batch(encoder_graph)
        _free_batch(decoder_graph)
        self._detector = compile_graph(core, take_bytes(detector_graph), target)
        encoder_graph, step_graph, self._memory = hoist(encoder_graph, decoder_graph, DECODER_OUTPUTS)
        self._encoder = compile_graph(core, encoder_graph, target)
        self._step = compile_graph(core, step_graph, target)

    def detect(self, canvas: Image) -> Detections:
        with self._detector.borrow() as request:
            request.set_input_tensor(ov.Tensor(raw_input(canvas, self.manifest)[None]))
            infer(request)
            return Detections(*(request.get_tensor(name).data.copy() for name in Detections._fields))

    def read(self, text_features: FloatArray) -> tuple[NDArray[np.int64], FloatArray]:
        count = len(text_features)
        if not count:
            return np.zeros((0, 0), np.int64), np.zeros(0, np.float32)
        with self._encoder.borrow() as encoder, self._step.borrow() as step:
            encoder.set_input_tensor(ov.Tensor(np.ascontiguousarray(text_features, np.float32)))
            infer(encoder)
            for name in self._memory:
                # The same memory, not a copy: the encoder's request is ours until the words are read.
                step.set_tensor(name, encoder.get_tensor(name))
            return greedy_decode(_Stepper(step), self._initial_state(count), count, self.manifest)

    def _initial_state(self, count: int) -> FloatArray:
        return np.zeros((1, count, self.hidden_size), np.float32)


def take_bytes(detector: ov.Model) -> ov.Model:
    """Let the detector take a canvas [1, H, W, 3] of uint8, so that no host code converts and transposes it."""
    steps = PrePostProcessor(detector)
    steps.input("image").tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    steps.input("image").model().set_layout(ov.Layout("NCHW"))
    return steps.build()


def _free_batch(graph: ov.Model) -> None:
    """Let a text graph take any number of words; a hidden state has its batch behind the layer axis."""
    shapes = {}
    for port in graph.inputs:
        shape = port.partial_shape
        shape[1 if port.any_name == "prev_hidden" else 0] = -1
        shapes[port.any_name] = shape
    graph.reshape(shapes)


def _check_fit(detector: ov.Model, detector_path: Path, encoder: ov.Model, encoder_path: Path) -> None:
    produced = detector.output("text_features").partial_shape
    taken = encoder.input("input").partial_shape
    if list(produced)[1:] != list(taken)[1:]:
        raise UserError(
            f"{encoder_path}: takes {taken} but {detector_path} produces text_features {produced};"
            " the files come from different models"
        )


class _Stepper:
    """One decoder step on a request that already holds what follows from the encoder's outputs."""

    def __init__(self, request: ov.InferRequest) -> None:
        self.request = request

    def __call__(self, symbols: NDArray[np.int64], hidden: FloatArray) -> tuple[FloatArray, FloatArray]:
        self.request.set_tensor("prev_symbol", ov.Tensor(symbols))
        self.request.set_tensor("prev_hidden", ov.Tensor(hidden))
        infer(self.request)
        return self.request.get_tensor("output").data, self.request.get_tensor("hidden").data.copy()
