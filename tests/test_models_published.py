"""text-spotting-0003 is the published network: its snapshots load, resume and mean the same."""

from pathlib import Path
from typing import Any

import pytest
import torch
from small_networks import TEMPLATES

from text_spotting.engine.checkpoints import load_weights, missing_weights
from text_spotting.engine.torch_spotter import build_network
from text_spotting.models.complexity import complexity, trainable_parameters
from text_spotting.workdir.config import load_config

TABLE = Path(__file__).parent / "data" / "state_dict_0003.tsv"


def published_shapes() -> dict[str, list[int]]:
    rows = (line.split("\t") for line in TABLE.read_text().splitlines())
    return {name: [int(size) for size in shape.strip("[]").split(",") if size.strip()] for name, shape in rows}


def published_network() -> torch.nn.Module:
    torch.manual_seed(0)
    return build_network(load_config(TEMPLATES / "text-spotting-0003" / "model.py"))


@pytest.mark.slow
def test_every_tensor_has_its_published_name_and_shape() -> None:
    shapes = {name: list(tensor.shape) for name, tensor in published_network().state_dict().items()}
    assert len(shapes) == 395
    assert shapes == published_shapes()


def test_as_many_parameters_train_as_were_published() -> None:
    assert trainable_parameters(published_network()) == 27_757_244


@pytest.mark.slow
def test_a_snapshot_with_the_published_names_fills_every_tensor() -> None:
    network: Any = published_network()
    snapshot = {"state_dict": {name: torch.ones(shape) for name, shape in published_shapes().items()}}
    load_weights(network, snapshot, "epoch_24.pth")
    assert missing_weights(network, snapshot) == []
    assert network.roi_head.text_head.decoder.v.eq(1).all()


@pytest.mark.slow
def test_complexity_counts_twice_the_multiplications() -> None:
    network = published_network()
    one_word, two_words = (complexity(network, (128, 128), words) for words in (1, 2))
    # A further word costs four mask convolutions, their upsampling and logits, and three encoder convolutions.
    mask = 4 * 14 * 14 * 64 * 64 * 9 + 28 * 28 * 64 * 64 + 28 * 28 * 64
    encoder = 28 * 28 * 9 * (64 * 256 + 256 * 256 + 256 * 256)
    assert abs((two_words - one_word) * 1e9 - 2 * (mask + encoder)) < 1e3
