"""The exported graphs on OpenVINO, arranged for speed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino.preprocess import PrePostProcessor

from text_spotting.contract import (
    DECODER_INPUTS,
    DETECTOR_OUTPUTS,
    ENCODED,
    HIDDEN,
    IMAGE,
    LOGITS,
    PREVIOUS_HIDDEN,
    PREVIOUS_SYMBOL,
    PROBABILITIES,
    TEXT_FEATURES,
    WORDS,
    Detections,
)
from text_spotting.errors import UserError
from text_spotting.preprocess import normalise, raw_input
from text_spotting.runtime.files import GraphFiles, graph_files
from text_spotting.runtime.hoisting import hoist
from text_spotting.runtime.options import Target
from text_spotting.runtime.session import (
    RequestPool,
    avx2_is_newest,
    compile_graph,
    infer,
    read_graph,
    read_manifest,
)
from text_spotting.words import FloatArray, Image

_STEP_OUTPUTS = (LOGITS, HIDDEN)


class _TextGraphs(NamedTuple):
    """The compiled text graphs, and the names of what the encoder hands to the decoder step."""

    encoder: RequestPool
    step: RequestPool
    memory: list[str]
    hidden_size: int
    feature_shape: tuple[int, ...]


class OpenVinoEngine:
    """The graphs, compiled for one device.

    The files keep the shapes that other clients expect; here the text graphs are reshaped to take all words
    of an image at once, what decoder steps have in common is computed once, and the detector takes the
    image's bytes as they are.

    Raises:
        UserError: a missing, foreign or mismatched graph, or a device or precision that is not there.
    """

    def __init__(self, detector: Path, target: Target) -> None:
        graph = read_graph(detector, [IMAGE], DETECTOR_OUTPUTS)
        self.manifest = read_manifest(graph, detector)
        self._target = target.unless_asked(self.manifest.precision)
        self.parallel = most_streams(self._target)
        self._files = graph_files(detector, self.manifest)
        self._text_features = graph.output(TEXT_FEATURES).partial_shape
        self._detector = compile_graph(take_bytes(graph), self._target)
        if self._files.recognizer:
            recognizer = read_graph(self._files.recognizer, [WORDS], [PROBABILITIES])
            self._least_crops = least_batch(recognizer)
            self._recognizer = compile_graph(recognizer, replace(self._target, streams=self.parallel))
        _ = self._text  # what does not fit is told now rather than with the first word

    @cached_property
    def _text(self) -> "_TextGraphs":
        """Encoder and decoder."""
        encoder = read_graph(self._files.encoder, [WORDS], [ENCODED])
        decoder = read_graph(self._files.decoder, DECODER_INPUTS, _STEP_OUTPUTS)
        _check_fit(self._text_features, encoder, self._files)
        hidden_size = decoder.input(PREVIOUS_HIDDEN).partial_shape[2].get_length()
        feature_shape = tuple(size.get_length() for size in list(encoder.input(0).partial_shape)[1:])
        _free_batch(encoder)
        _free_batch(decoder)
        encoder, step, memory = hoist(encoder, decoder, _STEP_OUTPUTS)
        return _TextGraphs(
            compile_graph(encoder, self._target),
            compile_graph(step, self._target),
            memory,
            hidden_size,
            feature_shape,
        )

    @property
    def hidden_size(self) -> int:
        return self._text.hidden_size

    @property
    def text_feature_shape(self) -> tuple[int, ...]:
        """Channels, height and width of one word's text features."""
        return self._text.feature_shape

    def detect(self, canvas: Image) -> Detections[FloatArray]:
        with self._detector.borrow() as request:
            request.set_input_tensor(ov.Tensor(raw_input(canvas, self.manifest)[None]))
            infer(request)
            return Detections(*(request.get_tensor(name).data.copy() for name in Detections._fields))

    @contextmanager
    def encode(self, text_features: FloatArray) -> Iterator[ov.InferRequest]:
        """Its value is a request for decoder steps that holds what follows from the encoder's outputs."""
        text = self._text
        with text.encoder.borrow() as encoder, text.step.borrow() as step:
            encoder.set_input_tensor(ov.Tensor(np.ascontiguousarray(text_features, np.float32)))
            infer(encoder)
            for name in text.memory:
                # The same memory, not a copy: the encoder's request is ours until the words are read.
                step.set_tensor(name, encoder.get_tensor(name))
            yield step

    def step(
        self, memory: ov.InferRequest, symbols: NDArray[np.int64], hidden: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        memory.set_tensor(PREVIOUS_SYMBOL, ov.Tensor(symbols))
        memory.set_tensor(PREVIOUS_HIDDEN, ov.Tensor(hidden))
        infer(memory)
        return memory.get_tensor(LOGITS).data, memory.get_tensor(HIDDEN).data.copy()

    def recognize(self, crops: Image) -> FloatArray:
        count = len(crops)
        if count < self._least_crops:
            crops = np.repeat(crops, self._least_crops, axis=0)
        with self._recognizer.borrow() as request:
            request.set_input_tensor(ov.Tensor(normalise(crops, self.manifest)))
            infer(request)
            return np.array(request.get_tensor(PROBABILITIES).data[:count], np.float32)


def take_bytes(detector: ov.Model) -> ov.Model:
    """Let the detector take a canvas [1, H, W, 3] of uint8, so that no host code converts and transposes it."""
    steps = PrePostProcessor(detector)
    steps.input(IMAGE).tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    steps.input(IMAGE).model().set_layout(ov.Layout("NCHW"))
    return steps.build()


def most_streams(target: Target) -> int:
    """How many words' batches are computed side by side: one a core, for a word is too little work for two."""
    if target.device != "CPU":
        return target.streams
    return max(target.streams, min(_MOST_STREAMS, target.threads or os.cpu_count() or 1))


_MOST_STREAMS = 4
"""Few images have words of more different widths."""


def least_batch(graph: ov.Model) -> int:
    """How many words a graph of any batch size must be given.

    OpenVINO 2026.4 computes one alone wrongly in INT8, but not on processors that have AVX2 and nothing newer.
    """
    quantized = any(node.get_type_name() == "FakeQuantize" for node in graph.get_ordered_ops())
    return 2 if quantized and not avx2_is_newest() else 1


def _free_batch(graph: ov.Model) -> None:
    """Let a text graph take any number of words; a hidden state has its batch behind the layer axis."""
    shapes = {}
    for port in graph.inputs:
        shape = port.partial_shape
        shape[1 if port.any_name == PREVIOUS_HIDDEN else 0] = -1
        shapes[port.any_name] = shape
    graph.reshape(shapes)


def _check_fit(produced: ov.PartialShape, encoder: ov.Model, files: GraphFiles) -> None:
    taken = encoder.input(WORDS).partial_shape
    if list(produced)[1:] != list(taken)[1:]:
        raise UserError(
            f"{files.encoder}: takes {taken} but {files.detector} produces text_features {produced};"
            " the files come from different models"
        )
