"""The recogniser's teacher: its characters as ours, what its columns spell, and the loss it sets."""

import math
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor
from torch.nn import functional as F

from text_spotting.alphabet import START, SYMBOLS
from text_spotting.data.packing import pad_texts
from text_spotting.models import teacher as teachers
from text_spotting.models.recogniser import WordRecogniser, taught_loss
from text_spotting.models.teacher import Teacher, agreeing, collapse, merging

A, B, SEVEN = (SYMBOLS.index(symbol) for symbol in "ab7")


def columns_of(*symbols: int) -> Tensor:
    """Columns (1, L, symbols) that are nine tenths sure of a symbol each; what is left goes to the blank."""
    sure = torch.zeros(1, len(symbols), len(SYMBOLS))
    sure[..., START] = 0.1
    for column, symbol in enumerate(symbols):
        sure[0, column, symbol] += 0.9
    return sure


def test_both_cases_of_a_letter_add_up_and_foreign_characters_are_blank() -> None:
    matrix = merging(["", "a", "A", "7", "\u00e9", " "])
    assert matrix.argmax(axis=1).tolist() == [START, A, A, SEVEN, START, START]
    assert matrix.sum(axis=1).tolist() == [1] * 6


def test_repeated_symbols_are_one_unless_a_blank_parts_them() -> None:
    assert collapse(columns_of(START, A, A, START, A, B)) == [[A, A, B]]
    assert collapse(columns_of(START, START)) == [[]]


def test_a_teacher_agrees_when_it_spells_the_whole_target() -> None:
    columns = torch.cat([columns_of(A, START, B), columns_of(A, A, B), columns_of(A, START, A)])
    assert agreeing(columns, pad_texts(["ab", "ab", "ab"])).tolist() == [True, True, False]


def test_the_loss_is_cross_entropy_a_symbol_of_words_that_the_teacher_reads_rightly() -> None:
    taught = torch.cat([columns_of(A, B), columns_of(A, A)])
    even = torch.full((2, 2, len(SYMBOLS)), 1 / len(SYMBOLS)).log()
    # "ab" and its stop symbol are three; two columns cost ln(38) each. The second word, misread, adds nothing.
    loss = taught_loss(even, taught, pad_texts(["ab", "ab"]))
    assert loss.item() == pytest.approx(2 * math.log(len(SYMBOLS)) / 3, rel=1e-5)
    assert taught_loss(even[1:], taught[1:], pad_texts(["ab"])).item() == 0


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recogniser of three characters, blank, "A" and "b": red columns are "A", blue ones "b", dark ones blank."""
    kernel = np.zeros((4, 3, 48, 8), np.float32)
    kernel[1, 2], kernel[2, 0] = 1 / 48, 1 / 48
    tensors = [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(np.array([2]), "two")]
    nodes = [
        helper.make_node("Conv", ["x", "kernel"], ["y"], strides=[48, 8]),
        helper.make_node("Squeeze", ["y", "two"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["columns"], perm=[0, 2, 1]),
        helper.make_node("Softmax", ["columns"], ["out"], axis=2),
    ]
    ends = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 48, "w"]),
        helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", "l", 4]),
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors), opset_imports=[helper.make_opsetid("", 17)]
    )
    helper.set_model_props(model, {"character": "A\nb"})
    path = tmp_path / "recogniser.onnx"
    onnx.save(model, path)
    monkeypatch.setattr(teachers, "model_file", lambda _: path)
    return path


def test_a_teacher_sees_blue_green_red_pixels_column_by_column(packaged: Path) -> None:
    words = torch.zeros(2, 3, 32, 96, dtype=torch.uint8)
    words[0, 2, :, :32] = 255  # red
    words[0, 0, :, 64:] = 255  # blue
    seen = Teacher(3)(words)
    assert seen.shape == (2, 3, len(SYMBOLS))
    torch.testing.assert_close(seen.sum(dim=2), torch.ones(2, 3))
    assert seen.argmax(dim=2)[0].tolist() == [A, START, B]
    assert collapse(seen) == [[A, B], []]


def test_a_recogniser_with_a_teacher_adds_its_loss(packaged: Path) -> None:
    torch.manual_seed(0)
    head = {"type": "TextRecognitionHead", "encoder": {"type": "LightSVTREncoder", "columns": 24}, "ctc_weight": 0.5}
    setting = {"text_head": head, "mean": [0.0] * 3, "std": [255.0] * 3}
    words = torch.zeros(1, 3, 32, 96, dtype=torch.uint8)
    words[0, 2, :, :48] = 255
    words[0, 0, :, 48:] = 255
    taught, alone = WordRecogniser(**setting, teacher_weight=2.0).eval(), WordRecogniser(**setting).eval()
    alone.load_state_dict(taught.state_dict())
    losses = taught(words, pad_texts(["ab"]))
    assert set(losses) - set(alone(words, pad_texts(["ab"]))) == {"loss_teacher"}
    features = taught.normalise(words)
    own = taught.roi_head["text_head"]
    columns = own.columns(own.encoder(features))
    sure = F.one_hot(torch.tensor([[A] * 12 + [B] * 12]), len(SYMBOLS)).float()
    assert losses["loss_teacher"].item() == pytest.approx(2 * -(sure * columns).sum().item() / 3, rel=0.05)
