"""Arithmetic on places in the picture, which must not be rounded to 8 bits of precision.

bfloat16 tells 1000 from 1004 but not from 1002, INT8 hardly that: words that are 15 pixels high are then cut at the
wrong place. The exported detector marks the layers concerned, and OpenVINO computes them in float32 whatever the rest
is computed in.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import openvino as ov

LAYERS = (
    r"^/?proposals/(?!rpn_).*",
    r"^/?boxes/(?!bbox_head/).*",
    r"^/?masks/(?!RoiAlign).*",
    r"^/?text/.*",
    r"^/?text_features$",
)
"""Patterns of the detector's layers that compute with coordinates."""

_ALSO = r".*RoiAlign.*"
"""Pooling: its features may be rounded, the boxes that it takes may not."""

_WITHOUT_ARITHMETIC = ("Const", "Parameter", "Result")
_MARK = {"name": "precise", "version": "0"}
"""What OpenVINO calls a layer that stays in float32."""


def keep_precise(detector: Path) -> None:
    """Mark the coordinate layers of an IR, in place."""
    concerned = [re.compile(pattern) for pattern in (*LAYERS, _ALSO)]
    pointwise = set(_pointwise_before_pooling(ov.Core().read_model(detector)))
    tree = ElementTree.parse(detector)
    for layer in tree.iterfind("layers/layer"):
        name = layer.attrib["name"]
        if layer.attrib["type"] in _WITHOUT_ARITHMETIC:
            continue
        if name in pointwise or any(pattern.match(name) for pattern in concerned):
            _runtime_info(layer).append(ElementTree.Element("attribute", _MARK))
    tree.write(detector, xml_declaration=True)


def _runtime_info(layer: ElementTree.Element) -> ElementTree.Element:
    found = layer.find("rt_info")
    return ElementTree.SubElement(layer, "rt_info") if found is None else found


def _pointwise_before_pooling(model: ov.Model) -> Iterator[str]:
    """Names of the 1x1 convolutions, and of what is added to them, whose results are pooled.

    Pooling in float32 is six times as slow on maps that come in bfloat16: OpenVINO then has them channels first.
    In float32 these convolutions cost little more, larger ones would cost more than they save.
    """
    for pooling in model.get_ordered_ops():
        if pooling.get_type_name() != "ROIAlign":
            continue
        node = pooling.input_value(0).get_node()
        names = [node.get_friendly_name()]
        while node.get_type_name() in ("Add", "Relu"):
            node = node.input_value(0).get_node()
            names.append(node.get_friendly_name())
        if node.get_type_name() == "Convolution" and list(node.input_value(1).shape)[2:] == [1, 1]:
            yield from names
