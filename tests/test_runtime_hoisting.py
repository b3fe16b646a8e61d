"""What every decoder step would repeat is computed once, and nothing else changes."""

import numpy as np
import onnx
import openvino as ov
import pytest
from openvino import opset13 as ops
from sample_graphs import decoder_graph, encoder_graph

from text_spotting.runtime.hoisting import hoist
from text_spotting.runtime.session import CORE

EXACT = {"INFERENCE_PRECISION_HINT": "f32"}


def read(graph: onnx.ModelProto) -> ov.Model:
    return CORE.read_model(graph.SerializeToString())


def count(model: ov.Model, kind: str) -> int:
    return sum(node.get_type_name() == kind for node in model.get_ordered_ops())


@pytest.fixture
def split() -> tuple[ov.Model, ov.Model, list[str]]:
    return hoist(read(encoder_graph()), read(decoder_graph()), ("output", "hidden"))


def test_work_on_the_memory_alone_moves_behind_the_encoder(split: tuple[ov.Model, ov.Model, list[str]]) -> None:
    encoder, step, names = split
    assert len(names) == 1
    assert (count(encoder, "MatMul"), count(step, "MatMul")) == (1, 0)
    assert (count(encoder, "Gather"), count(step, "Gather")) == (0, 1), "depends on the symbol: stays"


def test_both_parts_together_compute_what_the_step_computed(split: tuple[ov.Model, ov.Model, list[str]]) -> None:

    features = np.random.default_rng(0).random((3, 1, 2, 2), np.float32)
    symbols, hidden = np.array([0, 2, 3]), np.ones((1, 3, 3), np.float32)
    whole = CORE.compile_model(read(decoder_graph()), "CPU", EXACT)
    wanted = whole({"prev_symbol": symbols, "prev_hidden": hidden, "encoder_outputs": features.reshape(3, 4, 1)})
    encoder, step, (name,) = split
    memory = CORE.compile_model(encoder, "CPU", EXACT)(features)[name]
    found = CORE.compile_model(step, "CPU", EXACT)({"prev_symbol": symbols, "prev_hidden": hidden, name: memory})
    assert np.allclose(found["output"], wanted["output"])
    assert np.allclose(found["hidden"], wanted["hidden"])


def test_the_graphs_given_are_left_alone() -> None:
    encoder, step = read(encoder_graph()), read(decoder_graph())
    hoist(encoder, step, ("output", "hidden"))
    assert [port.any_name for port in step.inputs] == ["prev_symbol", "prev_hidden", "encoder_outputs"]
    assert [port.any_name for port in encoder.outputs] == ["output"]


def test_a_memory_that_is_used_as_it_is_passes_through() -> None:
    memory = ops.parameter([-1, 4, 1], np.float32, name="encoder_outputs")
    hidden = ops.parameter([1, -1, 1], np.float32, name="prev_hidden")
    for port in (memory, hidden):
        port.output(0).set_names({port.get_friendly_name()})
    total = ops.result(ops.add(memory, ops.transpose(hidden, np.array([1, 0, 2]))))
    total.output(0).set_names({"output"})
    encoder, step, (name,) = hoist(read(encoder_graph()), ov.Model([total], [memory, hidden]), ("output",))
    memory_of = CORE.compile_model(encoder, "CPU", EXACT)(np.arange(8, dtype=np.float32).reshape(2, 1, 2, 2))
    assert memory_of[name][..., 0].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert [port.any_name for port in step.inputs] == ["prev_hidden", name]
