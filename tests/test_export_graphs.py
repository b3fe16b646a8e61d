"""The exported graphs' twins compute what the network itself predicts."""

from dataclasses import replace

import pytest
import torch
from small_networks import BOTH, small_network

from text_spotting.export.export import plain_manifest
from text_spotting.export.graphs import DecoderStepGraph, DetectorGraph, EncoderGraph, RawDetectorGraph, decode
from text_spotting.export.onnx import text_feature_shape

SIZE = (192, 96)


def raw_and_normalised(manifest):
    width, height = manifest.input_size
    raw = torch.randint(0, 256, (1, 3, height, width), generator=torch.Generator().manual_seed(3)).float()
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (manifest.mean, manifest.std))
    return raw, (raw[:, [2, 1, 0]] - mean) / std


def assert_same(found, wanted):
    for value, expected in zip(found, wanted, strict=True):
        assert value.shape == expected.shape
        torch.testing.assert_close(value, expected, atol=2e-3, rtol=1e-4)


@pytest.mark.parametrize("name", BOTH)
@torch.no_grad()
def test_the_detector_twin_predicts_what_the_network_predicts(name):
    config, network = small_network(name)
    _, image = raw_and_normalised(plain_manifest(config, SIZE))
    wanted = network.detect(image)
    assert len(wanted.boxes) == 6
    assert_same(DetectorGraph(network)(image), wanted)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("order", ["BGR", "RGB"])
@torch.no_grad()
def test_the_raw_detector_needs_no_preprocessing(name, order):
    config, network = small_network(name)
    manifest = replace(plain_manifest(config, SIZE), embedded=True, input_order=order)
    raw, image = raw_and_normalised(manifest)
    taken = raw if order == "BGR" else raw[:, [2, 1, 0]]
    assert_same(RawDetectorGraph(network, manifest)(taken), network.detect(image))


@torch.no_grad()
def test_a_detector_whose_shrinking_cannot_be_folded_predicts_the_same():
    config, network = small_network("text-spotting-0004-lite")
    manifest = replace(plain_manifest(config, (200, 120)), embedded=True, input_order="BGR")
    raw, image = raw_and_normalised(manifest)
    wanted = network.detect(image)
    assert len(wanted.boxes) == 6
    assert_same(RawDetectorGraph(network, manifest)(raw), wanted)


@pytest.mark.parametrize("name", BOTH)
@torch.no_grad()
def test_the_decoder_graph_spells_what_the_text_head_reads(name):
    _, network = small_network(name)
    head = network.roi_head.text_head
    features = torch.rand(2, *text_feature_shape(network))
    symbols, _ = head.read(features)
    memory = EncoderGraph(head)(features).flatten(2).transpose(1, 2)
    hidden, symbol, spelt = torch.zeros(1, 2, head.decoder.hidden_size), torch.zeros(2, dtype=torch.int64), []
    for _ in range(symbols.shape[1]):
        logits, hidden, attention = DecoderStepGraph(head)(symbol, hidden, memory)
        symbol = logits.argmax(dim=1)
        spelt.append(symbol)
    assert torch.stack(spelt, dim=1).tolist() == symbols.tolist()
    assert attention.sum(dim=1).tolist() == pytest.approx([1, 1])


def test_decoding_moves_scales_and_clips_boxes():
    class Coder:
        means, stds = (0, 0, 0, 0), (0.1, 0.1, 0.2, 0.2)

    boxes = torch.tensor([[10.0, 10, 20, 30], [0, 0, 40, 40], [10, 10, 20, 20]])
    deltas = torch.tensor([[10.0, 0, 0, 0], [0, 0, 5, 0], [0, 0, 1000, 0]])
    moved, grown, capped = decode(boxes, deltas, Coder, torch.tensor([50.0, 40.0])).tolist()
    assert moved == [20, 10, 30, 30], "by its own width"
    assert grown == [0, 0, 50, 40], "e times as wide, cut at the border"
    assert capped == [0, 10, 50, 20], "at most 62.5 times as wide"
