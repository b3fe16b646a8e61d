"""Taking out of the decoder step what every step of a word would repeat.

The exported step takes the encoder's outputs and projects them before it attends, every time anew. All that depends
on nothing else is moved behind the encoder, where it is computed once a word (loop-invariant code motion).
"""

from collections.abc import Sequence

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from text_spotting.contract import ENCODER_OUTPUTS

MEMORY = ENCODER_OUTPUTS


def hoist(encoder: ov.Model, step: ov.Model, outputs: Sequence[str]) -> tuple[ov.Model, ov.Model, list[str]]:
    """Split one decoder step into a part that is computed once and a part that is repeated.

    Args:
        encoder: text features ``input`` [N, C, h, w] to ``output`` [N, D, h', w'].
        step: one decoder step with an input ``encoder_outputs`` [N, h'*w', D].
        outputs: names of the step's outputs that are wanted.

    Returns:
        The encoder with everything that follows from its output alone; the step without it, with ``prev_symbol``,
        ``prev_hidden`` and the encoder's results as inputs; and those results' names.
    """
    step = step.clone()
    memory = step.input(MEMORY)
    constant, invariant = _classify(step, memory.get_node())
    frontier = _frontier(step, constant, invariant)
    names = [f"memory_{index}" for index in range(len(frontier))]
    replacements = []
    for name, (output, targets) in zip(names, frontier, strict=True):
        parameter = ops.parameter(output.partial_shape, output.element_type, name=name)
        parameter.output(0).set_names({name})
        for target in targets:
            target.replace_source_output(parameter.output(0))
        replacements.append(parameter)
    kept = [port.get_node() for port in step.inputs if port.any_name != MEMORY]
    results = [step.output(name).get_node() for name in outputs]
    repeated = ov.Model(results, [*kept, *replacements], "repeated_step")
    return _attach(encoder.clone(), memory, names, [output for output, _ in frontier]), repeated, names


def _classify(step: ov.Model, memory: ov.Node) -> tuple[set[str], set[str]]:
    """Names of the nodes that depend on nothing, and of those that depend on the memory alone."""
    constant: set[str] = set()
    invariant = {memory.get_friendly_name()}
    for node in step.get_ordered_ops():
        if node.get_type_name() in ("Parameter", "Result"):
            continue
        sources = {value.get_source_output().get_node().get_friendly_name() for value in node.inputs()}
        if sources <= constant:
            constant.add(node.get_friendly_name())
        elif sources <= constant | invariant:
            invariant.add(node.get_friendly_name())
    return constant, invariant


def _frontier(step: ov.Model, constant: set[str], invariant: set[str]) -> list[tuple[ov.Output, list[ov.Input]]]:
    """Invariant outputs with the inputs of the repeated part that take them."""
    found = []
    for node in step.get_ordered_ops():
        if node.get_friendly_name() not in invariant:
            continue
        for output in node.outputs():
            known = constant | invariant
            targets = [t for t in output.get_target_inputs() if t.get_node().get_friendly_name() not in known]
            if targets:
                found.append((output, targets))
    return found


def _attach(encoder: ov.Model, memory: ov.Output, names: list[str], outputs: list[ov.Output]) -> ov.Model:
    """Let the encoder end in ``outputs``, which follow from ``memory``."""
    encoded = encoder.output(0).get_node().input_value(0)
    depth = encoded.partial_shape[1].get_length()
    rows = ops.reshape(encoded, np.array([0, depth, -1], np.int64), special_zero=True)
    positions = ops.transpose(rows, np.array([0, 2, 1], np.int64))
    for target in memory.get_target_inputs():
        target.replace_source_output(positions.output(0))
    ends = [positions.output(0) if output == memory else output for output in outputs]
    results = []
    for name, end in zip(names, ends, strict=True):
        result = ops.result(end)
        result.output(0).set_names({name})
        results.append(result)
    return ov.Model(results, [encoder.input(0).get_node()], "encoder_and_memory")
