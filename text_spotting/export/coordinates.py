"""Arithmetic on places in the image, which must not be rounded to 8 bits of precision.

bfloat16 tells 1000 from 1004 but not from 1002, INT8 hardly that: words that are 15 pixels high are then cut at the
wrong place. The exported detector marks the layers concerned, and OpenVINO computes them in float32 whatever the rest
is computed in.
"""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from text_spotting.export.layers import require_layers

LAYERS = (
    r"^/?proposals/(?!rpn_).*",
    r"^/?boxes/(?!bbox_head/).*",
    r"^/?masks/(?!.*RoiAlign).*",
    r"^/?text/.*",
    r"^/?text_features$",
)
"""Patterns of the detector's layers that compute with coordinates."""

_ALSO = (r".*RoiAlign.*", r".*/pooled_map$")
"""Pooling, and what comes before it: features may be rounded, the boxes that pooling takes may not."""

_WITHOUT_ARITHMETIC = ("Const", "Parameter", "Result")
_MARK = {"name": "precise", "version": "0"}
"""What OpenVINO calls a layer that stays in float32."""


def clamp_pooled_maps(detector: ov.Model) -> None:
    """Put a layer that changes nothing between each map and its poolings, for ``mark_float32_layers`` to mark.

    OpenVINO turns a bfloat16 map into a float32 one with channels first for pooling, which is then six times as slow.
    An elementwise layer gives float32 as the map lies in memory, and a clamp that never cuts is not optimised away.
    """
    handed: dict[str, ov.Node] = {}
    for pooling in detector.get_ordered_ops():
        if pooling.get_type_name() != "ROIAlign":
            continue
        source = pooling.input_value(0)
        name = source.get_node().get_friendly_name()
        if name not in handed:
            handed[name] = ops.clamp(source, -_LARGEST, _LARGEST, name=f"{name}/pooled_map")
        pooling.input(0).replace_source_output(handed[name].output(0))


_LARGEST = float(np.finfo(np.float32).max)


def mark_float32_layers(detector: Path) -> None:
    """Mark the coordinate layers of an IR, in place.

    Raises:
        UserError: a pattern matches no layer, whose coordinates would be rounded.
    """
    tree = ElementTree.parse(detector)
    layers = {
        layer.attrib["name"]: layer
        for layer in tree.iterfind("layers/layer")
        if layer.attrib["type"] not in _WITHOUT_ARITHMETIC
    }
    patterns = (*LAYERS, *_ALSO)
    require_layers(detector.name, layers, patterns)
    for name, layer in layers.items():
        if any(re.match(pattern, name) for pattern in patterns):
            _runtime_info(layer).append(ElementTree.Element("attribute", _MARK))
    tree.write(detector, xml_declaration=True)


def _runtime_info(layer: ElementTree.Element) -> ElementTree.Element:
    found = layer.find("rt_info")
    return ElementTree.SubElement(layer, "rt_info") if found is None else found
