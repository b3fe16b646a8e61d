"""Small graphs with worked-out answers for the tests of the runtime.

The detector finds three boxes: the first is as certain as the image is blue, the second certain (0.9), the third
doubtful (0.1). The reader spells "ab" from dark text features; features of one make it stop at once.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import openvino as ov
from onnx import TensorProto, helper, numpy_helper

from text_spotting.manifest import KEY, Manifest
from text_spotting.runtime.session import CORE

MANIFEST = Manifest(
    input_size=(8, 4),
    keep_aspect=False,
    mean=(10.0, 20.0, 30.0),
    std=(1.0, 2.0, 4.0),
    to_rgb=True,
    embedded=True,
    detector="d.xml",
    encoder="e.xml",
    decoder="c.xml",
)

EXPORTED = Manifest(
    input_size=(8, 4),
    keep_aspect=False,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    to_rgb=False,
    embedded=True,
    detector="model.xml",
    encoder="model_text_recognition_head_encoder.xml",
    decoder="model_text_recognition_head_decoder.xml",
)
ROLES = ("detector", "encoder", "decoder")
BOXES = [[0, 0, 4, 2, 0], [4, 2, 8, 4, 0.9], [0, 2, 4, 4, 0.1]]


def _graph(
    name: str,
    inputs: list[tuple[str, int, list[Any]]],
    outputs: list[tuple[str, int, list[Any]]],
    constants: dict[str, Any],
    nodes: list[tuple[str, str, str, dict[str, Any]]],
) -> onnx.ModelProto:
    values = [numpy_helper.from_array(np.asarray(array), key) for key, array in constants.items()]
    made = [helper.make_node(op, ins.split(), outs.split(), **attributes) for op, ins, outs, attributes in nodes]
    ports = [[helper.make_tensor_value_info(*port) for port in side] for side in (inputs, outputs)]
    graph = helper.make_graph(made, name, ports[0], ports[1], values)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def detector_graph() -> onnx.ModelProto:
    features = np.zeros((3, 1, 2, 2), np.float32)
    features[1] = 1
    blueness = np.zeros((3, 5), np.float32)
    blueness[0, 4] = 1 / 255
    return _graph(
        "detector",
        [("image", TensorProto.FLOAT, [1, 3, 4, 8])],
        [
            ("boxes", TensorProto.FLOAT, [3, 5]),
            ("labels", TensorProto.INT64, [3]),
            ("masks", TensorProto.FLOAT, [3, 28, 28]),
            ("text_features", TensorProto.FLOAT, [3, 1, 2, 2]),
        ],
        {
            "fixed": np.array(BOXES, np.float32),
            "blueness": blueness,
            "zero": np.int64(0),
            "features": features,
            "ones": np.ones((3, 28, 28), np.float32),
            "none": np.zeros(3, np.int64),
        },
        [
            ("ReduceMean", "image", "color", {"axes": [0, 2, 3], "keepdims": 0}),
            ("Gather", "color zero", "blue", {}),
            ("Mul", "blueness blue", "moving", {}),
            ("Add", "fixed moving", "boxes", {}),
            ("Identity", "none", "labels", {}),
            ("Identity", "ones", "masks", {}),
            ("Identity", "features", "text_features", {}),
        ],
    )


def encoder_graph(channels: int = 1) -> onnx.ModelProto:
    return _graph(
        "encoder",
        [("input", TensorProto.FLOAT, ["n", channels, 2, 2])],
        [("output", TensorProto.FLOAT, ["n", channels, 2, 2])],
        {},
        [("Relu", "input", "output", {})],
    )


def decoder_graph() -> onnx.ModelProto:
    transitions = np.zeros((38, 38), np.float32)
    for before, after in [(0, 2), (2, 3), (3, 1)]:
        transitions[before, after] = 20
    stopping = np.zeros((1, 38), np.float32)
    stopping[0, 1] = 40
    return _graph(
        "decoder",
        [
            ("prev_symbol", TensorProto.INT64, ["n"]),
            ("prev_hidden", TensorProto.FLOAT, [1, "n", 3]),
            ("encoder_outputs", TensorProto.FLOAT, ["n", 4, 1]),
        ],
        [("output", TensorProto.FLOAT, ["n", 38]), ("hidden", TensorProto.FLOAT, [1, "n", 3])],
        {"transitions": transitions, "stopping": stopping, "one": np.float32(1)},
        [
            ("Gather", "transitions prev_symbol", "next", {}),
            ("ReduceMean", "encoder_outputs", "seen", {"axes": [1], "keepdims": 0}),
            ("MatMul", "seen stopping", "stop", {}),
            ("Add", "next stop", "output", {}),
            ("Add", "prev_hidden one", "hidden", {}),
        ],
    )


def recognizer_graph() -> onnx.ModelProto:
    """Reads "a" from blue columns and blanks from others."""
    weights = np.zeros((38, 3, 1, 1), np.float32)
    weights[2, 0] = 1
    bias = np.full(38, -100, np.float32)
    bias[0] = 0
    return _graph(
        "recognizer",
        [("input", TensorProto.FLOAT, ["n", 3, 32, "w"])],
        [("probs", TensorProto.FLOAT, ["n", "t", 38])],
        {"weights": weights, "bias": bias, "axis": np.array([2])},
        [
            ("AveragePool", "input", "pooled", {"kernel_shape": [32, 4], "strides": [32, 4]}),
            ("Conv", "pooled weights bias", "classes", {}),
            ("Squeeze", "classes axis", "flat", {}),
            ("Transpose", "flat", "columns", {"perm": [0, 2, 1]}),
            ("Softmax", "columns", "probs", {"axis": 2}),
        ],
    )


GRAPHS = {"detector": detector_graph, "encoder": encoder_graph, "decoder": decoder_graph}


def save_onnx(folder: Path, recognizer: str = "") -> Path:
    """Write the .onnx files and return the detector's; with a recognizer where it is named."""
    if recognizer:
        onnx.save(recognizer_graph(), folder / recognizer)
    for role in ROLES:
        graph = GRAPHS[role]()
        if role == "detector":
            text = (
                replace(EXPORTED, recognizer=recognizer)
                .to_json()
                .replace(".xml", ".onnx")
                .replace('"embedded": true', '"embedded": false')
            )
            helper.set_model_props(graph, {KEY: text})
        onnx.save(graph, folder / getattr(EXPORTED, role).replace(".xml", ".onnx"))
    return folder / "model.onnx"


def save_ir(folder: Path, manifest: Manifest | None = EXPORTED, encoder_channels: int = 1) -> Path:
    """Write the three IRs, the text graphs with a batch of one as clients expect, and return the detector's .xml."""
    graphs = detector_graph(), encoder_graph(encoder_channels), decoder_graph()
    detector, encoder, decoder = (CORE.read_model(graph.SerializeToString()) for graph in graphs)
    encoder.reshape({"input": [1, encoder_channels, 2, 2]})
    decoder.reshape({"prev_symbol": [1], "prev_hidden": [1, 1, 3], "encoder_outputs": [1, 4, 1]})
    if manifest is not None:
        detector.set_rt_info(manifest.to_json(), [KEY])
    if manifest is not None and manifest.recognizer:
        recognizer = CORE.read_model(recognizer_graph().SerializeToString())
        ov.save_model(recognizer, folder / manifest.recognizer, compress_to_fp16=False)
    for role, model in zip(ROLES, (detector, encoder, decoder), strict=True):
        ov.save_model(model, folder / getattr(EXPORTED, role), compress_to_fp16=False)
    return folder / EXPORTED.detector
