"""The exported graphs' twins compute what the network itself predicts."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from small_networks import BOTH, small_network

from text_spotting.alphabet import START
from text_spotting.contract import flatten_positions
from text_spotting.engine.torch_engine import TorchEngine
from text_spotting.export.export import plain_manifest
from text_spotting.export.graphs import DecoderStepGraph, DetectorGraph, EncoderGraph, RawDetectorGraph, decode
from text_spotting.export.onnx import text_feature_shape
from text_spotting.manifest import Manifest

SIZE = (192, 96)


def raw_and_normalised(manifest: Manifest) -> tuple[torch.Tensor, torch.Tensor]:
    width, height = manifest.input_size
    raw = torch.randint(0, 256, (1, 3, height, width), generator=torch.Generator().manual_seed(3)).float()
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (manifest.mean, manifest.std))
    return raw, (raw[:, [2, 1, 0]] - mean) / std


def assert_finds_the_same(graph: torch.nn.Module, taken: torch.Tensor, wanted: Sequence[torch.Tensor]) -> None:
    """A graph of an image and what the network finds in it, six words of the one class."""
    boxes, labels, masks, text_features = graph(taken)
    assert labels.tolist() == [0] * 6
    assert_same((boxes, masks, text_features), wanted)


def assert_same(
    found: Sequence[torch.Tensor], wanted: Sequence[torch.Tensor], allowed: tuple[float, ...] = (2e-3, 2e-3, 2e-2)
) -> None:
    """Text features are sampled from noise: where a frame moves by 0.001 pixels they change by several times that."""
    for value, expected, off in zip(found, wanted, allowed[: len(wanted)], strict=True):
        assert value.shape == expected.shape
        torch.testing.assert_close(value, expected, atol=off, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", BOTH)
@torch.no_grad()
def test_the_detector_twin_predicts_what_the_network_predicts(name: str) -> None:
    config, network = small_network(name)
    _, image = raw_and_normalised(plain_manifest(config, SIZE))
    assert_finds_the_same(DetectorGraph(network), image, network.detect(image))


@pytest.mark.slow
@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("order", ["BGR", "RGB"])
@torch.no_grad()
def test_the_raw_detector_needs_no_preprocessing(name: str, order: str) -> None:
    config, network = small_network(name)
    manifest = replace(plain_manifest(config, SIZE), embedded=True, input_order=order)
    raw, image = raw_and_normalised(manifest)
    taken = raw if order == "BGR" else raw[:, [2, 1, 0]]
    assert_finds_the_same(RawDetectorGraph(network, manifest), taken, network.detect(image))


@pytest.mark.slow
@torch.no_grad()
def test_a_detector_whose_shrinking_cannot_be_folded_predicts_the_same() -> None:
    config, network = small_network("text-spotting-0004-lite")
    manifest = replace(plain_manifest(config, (200, 120)), embedded=True, input_order="BGR")
    raw, image = raw_and_normalised(manifest)
    assert_finds_the_same(RawDetectorGraph(network, manifest), raw, network.detect(image))


@pytest.mark.slow
@pytest.mark.parametrize("name", BOTH)
@torch.no_grad()
def test_the_decoder_graph_steps_as_the_text_head_does(name: str) -> None:
    config, network = small_network(name)
    engine, head = TorchEngine(network, plain_manifest(config)), network.roi_head.text_head
    features, symbols = torch.rand(2, *text_feature_shape(network)), torch.tensor([START, 5])
    hidden = torch.rand(1, 2, head.decoder.hidden_size)
    with engine.encode(features.numpy()) as memory:
        wanted = engine.step(memory, symbols.numpy(), hidden.numpy())
    encoded = flatten_positions(EncoderGraph(head)(features))
    logits, state, attention = DecoderStepGraph(head)(symbols, hidden, encoded)
    assert_same((logits, state), [torch.from_numpy(value) for value in wanted])
    assert attention.sum(dim=1).tolist() == pytest.approx([1, 1])


def test_decoding_moves_scales_and_clips_boxes() -> None:
    class Coder:
        means, stds = (0, 0, 0, 0), (0.1, 0.1, 0.2, 0.2)

    boxes = torch.tensor([[10.0, 10, 20, 30], [0, 0, 40, 40], [10, 10, 20, 20]])
    deltas = torch.tensor([[10.0, 0, 0, 0], [0, 0, 5, 0], [0, 0, 1000, 0]])
    moved, grown, capped = decode(boxes, deltas, Coder, torch.tensor([50.0, 40.0])).tolist()
    assert moved == [20, 10, 30, 30], "by its own width"
    assert grown == [0, 0, 50, 40], "e times as wide, cut at the border"
    assert capped == [0, 10, 50, 20], "at most 62.5 times as wide"
