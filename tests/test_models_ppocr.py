"""Pretrained weights taken from packaged ONNX files, and what the trunk makes of them."""

import importlib.util
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F

from text_spotting.errors import UserError
from text_spotting.evaluation.broad import rapid
from text_spotting.models.backbones import LargeKernelFPN, TextBackbone
from text_spotting.models.encoder import ColumnMixer, LightSVTREncoder
from text_spotting.models.lcnet import SqueezeExcitation
from text_spotting.models.ppocr import RAPIDOCR, classifier_rows, fill, model_file, take_pixels, weights_in_order
from text_spotting.words import FloatArray


def test_everyone_asks_for_the_same_version_of_the_package() -> None:
    assert rapid.RAPIDOCR == RAPIDOCR
    assert RAPIDOCR in (Path(__file__).parents[1] / "configs" / "recipes" / "card.sh").read_text()


def test_weights_come_as_they_run_with_norms_merged_and_products_transposed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    kernel, product = (rng.normal(size=shape).astype(np.float32) for shape in ((4, 3, 1, 1), (4, 2)))
    scale, shift, mean, variance = (rng.uniform(0.5, 1.5, 4).astype(np.float32) for _ in range(4))
    stored = {"k": kernel, "p": product, "s": scale, "b": shift, "m": mean, "v": variance}
    nodes = [
        helper.make_node("Identity", ["k"], ["alias"]),
        helper.make_node("Conv", ["x", "alias"], ["y"]),
        helper.make_node("BatchNormalization", ["y", "s", "b", "m", "v"], ["z"]),
        helper.make_node("ReduceMean", ["z"], ["w"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["w", "p"], ["out"]),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("x", "out")]
    tensors = [numpy_helper.from_array(value, name) for name, value in stored.items()]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors)), tmp_path / "m.onnx")

    own = nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2, bias=False))
    fill(own, iter(weights_in_order(tmp_path / "m.onnx")))
    x = torch.rand(2, 3, 5, 5)
    norms = [torch.from_numpy(v) for v in (mean, variance, scale, shift)]
    convolved = F.batch_norm(F.conv2d(x, torch.from_numpy(kernel)), *norms, eps=1e-5)  # type: ignore[misc, arg-type]
    torch.testing.assert_close(own(x), convolved.mean(dim=(2, 3)) @ torch.from_numpy(product))


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(RuntimeError, match=r"weight is \(4, 3, 1, 1\), the packaged weight \(5,\)"):
        fill(nn.Conv2d(3, 4, 1), iter([torch.zeros(5)]))


def test_a_first_convolution_takes_pixels_of_other_order_and_scale() -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 4, 3)
    image = torch.rand(1, 3, 8, 8) * 255
    theirs = (image.flip(1) - torch.tensor([10.0, 20, 30]).view(1, 3, 1, 1)) / torch.tensor([2.0, 3, 4]).view(
        1, 3, 1, 1
    )
    wanted = conv(theirs)
    take_pixels(conv, (10, 20, 30), (2, 3, 4), (120, 110, 100), (60, 50, 40))
    ours = (image - torch.tensor([120.0, 110, 100]).view(1, 3, 1, 1)) / torch.tensor([60.0, 50, 40]).view(1, 3, 1, 1)
    torch.testing.assert_close(conv(ours), wanted, atol=1e-2, rtol=1e-4)


def test_a_missing_package_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install --no-deps rapidocr"):
        model_file("any.onnx")


def test_squeeze_and_excitation_scales_channels_by_a_hard_sigmoid_of_their_mean() -> None:
    layer = SqueezeExcitation(4, slope=0.2)
    for part in (layer.reduce, layer.expand):
        nn.init.zeros_(part.weight)
        nn.init.zeros_(part.get_parameter("bias"))
    with torch.no_grad():
        layer.expand.get_parameter("bias").copy_(torch.tensor([-5.0, 0, 1, 5]))
    assert layer(torch.ones(1, 4, 2, 2))[0, :, 0, 0].tolist() == pytest.approx([0, 0.5, 0.7, 1])


@pytest.mark.slow
def test_the_backbone_sees_the_smaller_image_and_the_pyramid_adds_a_coarser_level() -> None:
    maps = TextBackbone(downscale=1.5)(torch.rand(1, 3, 96, 144))
    assert [tuple(level.shape[1:]) for level in maps] == [(48, 16, 24), (96, 8, 12), (192, 4, 6), (384, 2, 3)]
    levels = LargeKernelFPN([48, 96, 192, 384], 16).eval()(maps)
    assert [tuple(level.shape[1:]) for level in levels] == [
        (16, 16, 24),
        (16, 8, 12),
        (16, 4, 6),
        (16, 2, 3),
        (16, 1, 2),
    ]


@pytest.mark.slow
def test_frozen_stages_do_not_learn_and_the_others_do() -> None:
    backbone = TextBackbone(frozen_stages=1)
    sum(level.sum() for level in backbone(torch.rand(1, 3, 64, 64))).backward()
    learns = [any(p.grad is not None for p in stage.parameters()) for stage in backbone.trunk.stages]
    assert learns == [False, True, True, True]


def test_each_column_of_a_word_hears_of_the_others_and_the_encoder_keeps_them_in_a_row() -> None:
    torch.manual_seed(0)
    columns = torch.rand(1, 6, 16)
    changed = columns.clone()
    changed[0, 5] = -1
    mixer = ColumnMixer(16, heads=2)
    with torch.no_grad():
        assert (mixer(columns) - mixer(changed)).abs()[0, 0].max() > 1e-3
        assert LightSVTREncoder(columns=24).eval()(torch.rand(2, 3, 32, 96)).shape == (2, 120, 1, 24)


def packaged_classifier(path: Path, characters: str) -> None:
    """A recogniser that is nothing but its classifier, 2 channels; row n has weights n and bias n / 10."""
    rows = np.arange(len(characters) + 2, dtype=np.float32)
    stored: dict[str, FloatArray] = {"w": np.stack([rows, rows]), "b": rows / np.float32(10)}
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Add", ["y", "b"], ["out"])]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("x", "out")]
    tensors = [numpy_helper.from_array(value, name) for name, value in stored.items()]
    model = helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors))
    helper.set_model_props(model, {"character": "\n".join(characters)})
    onnx.save(model, path)


def test_the_classifiers_rows_come_as_asked_for_the_blank_first(tmp_path: Path) -> None:
    packaged_classifier(tmp_path / "m.onnx", "zab")
    weight, bias = classifier_rows(tmp_path / "m.onnx", "ba z")
    assert weight.tolist() == [[row, row] for row in (0, 3, 2, 4, 1)], "the space is behind all others"
    assert bias.tolist() == pytest.approx([0, 0.3, 0.2, 0.4, 0.1])


def test_a_character_that_the_packaged_model_does_not_know_is_named(tmp_path: Path) -> None:
    packaged_classifier(tmp_path / "m.onnx", "ab")
    with pytest.raises(UserError, match="does not know 'q'"):
        classifier_rows(tmp_path / "m.onnx", "aq")
