"""The recognition head: targets, losses and greedy reading on worked-out cases."""

import math
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from text_spotting.alphabet import DEFAULT, START
from text_spotting.contract import flatten_positions
from text_spotting.data.packing import pad_texts
from text_spotting.models.text_head import TextRecognitionHead


@pytest.fixture
def head() -> Any:
    torch.manual_seed(0)
    return TextRecognitionHead(
        encoder={"type": "TextEncoder", "in_channels": 3, "channels": [8], "strides": [(2, 2)]},
        hidden_size=16,
        dropout=0.0,
        ctc_weight=0.5,
    ).eval()


def test_an_untrained_head_finds_every_symbol_about_equally_likely(head: Any) -> None:
    with torch.no_grad():
        head.decoder.out.weight.zero_()
        head.decoder.out.bias.zero_()
    losses = head.loss(torch.rand(2, 3, 8, 32), pad_texts(["cab", "x"]))
    assert losses["loss_text"].item() == pytest.approx(math.log(DEFAULT.classes), rel=1e-5)


def test_the_loss_is_that_of_stepping_through_the_true_symbols(head: Any) -> None:
    features, (c, a, stop) = torch.rand(1, 3, 8, 32), DEFAULT.encode("ca")
    memory = head.decoder.memorise(flatten_positions(head.encoder(features)))
    state = head.decoder.initial_state(memory)
    total = torch.zeros(())
    for fed, wanted in ((START, c), (c, a), (a, stop)):
        logits, state, attention = head.decoder.step(state, torch.tensor([fed]), memory)
        total = total - F.log_softmax(logits, dim=1)[0, wanted]
        assert attention.sum().item() == pytest.approx(1, rel=1e-5)
    assert head.loss(features, pad_texts(["ca"]))["loss_text"].item() == pytest.approx(total.item() / 3, rel=1e-4)


def test_a_word_without_known_text_changes_no_loss(head: Any) -> None:
    features = torch.rand(3, 3, 8, 32)
    alone = head.loss(features[:1], pad_texts(["cab"]))
    beside = head.loss(features, pad_texts(["cab", "", "the door"]))
    for name, loss in alone.items():
        assert beside[name].item() == pytest.approx(loss.item(), rel=1e-4), name


def test_words_need_25_square_pixels_a_symbol_and_a_text(head: Any) -> None:
    rois = torch.tensor([[0, 0, 0, 10, 10], [0, 0, 0, 10, 9], [0, 0, 0, 50, 50], [0, 0, 0, 5, 5]], dtype=torch.float32)
    targets = pad_texts(["four", "four", "", "a"])
    # Four letters need 4 x 25 = 100 square pixels: 10 x 10 has them, 10 x 9 has not.
    assert head.readable(rois, targets).tolist() == [True, False, False, True]
