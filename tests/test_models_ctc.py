"""Reading by columns: what is one symbol adds up, and the loss is the sum over all alignments."""

import itertools
import math

import pytest
import torch

from text_spotting.alphabet import DEFAULT, READY, START, STOP
from text_spotting.data.packing import pad_texts
from text_spotting.models.ctc import PRINTABLE, CTCClassifier, Separator, folding

SYMBOLS = "  " + DEFAULT.symbols


def test_the_rows_of_printable_characters_are_those_of_every_snapshot() -> None:
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert letters + "0123456789" + "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" == PRINTABLE
    assert READY["printable_ascii"][0] == PRINTABLE, "a model of this alphabet has a row for each symbol, in its order"


def classifier_of(*columns: dict[str, float]) -> tuple[CTCClassifier, torch.Tensor]:
    """A classifier and an input whose columns have the given probabilities; the empty text is the blank."""
    layer = CTCClassifier(1 + len(PRINTABLE))
    with torch.no_grad():
        layer.linear.weight.copy_(torch.eye(1 + len(PRINTABLE)))
        layer.linear.bias.zero_()
    logits = torch.full((1, 1 + len(PRINTABLE), 1, len(columns)), -30.0)
    for place, column in enumerate(columns):
        for character, probability in column.items():
            row = 1 + PRINTABLE.index(character) if character else 0
            logits[0, row, 0, place] = math.log(probability)
    return layer, logits


def test_small_and_capital_letters_add_up_and_punctuation_counts_as_blank() -> None:
    layer, columns = classifier_of({"a": 0.2, "A": 0.3, "!": 0.1, "": 0.4})
    (probabilities,) = layer(columns)[0].detach()
    assert float(probabilities[SYMBOLS.index("a")]) == pytest.approx(0.5)
    assert float(probabilities[START]) == pytest.approx(0.5)
    assert float(probabilities.sum()) == pytest.approx(1, abs=1e-4)


def test_each_printable_character_is_folded_into_one_class_and_none_into_stop() -> None:
    fold = folding(DEFAULT)
    assert fold.sum(dim=1).eq(1).all()
    assert fold[:, STOP].sum() == 0
    assert fold[:, SYMBOLS.index("z")].sum() == 2
    assert fold[:, SYMBOLS.index("7")].sum() == 1
    assert fold[:, START].sum() == 1 + 32


def test_the_loss_sums_up_all_alignments_of_a_text() -> None:
    torch.manual_seed(0)
    layer = CTCClassifier(5)
    columns = torch.randn(1, 5, 1, 4)
    probabilities = layer(columns)[0].detach()
    wanted = DEFAULT.encode("aa")[:-1]
    total = 0.0
    for path in itertools.product({START, *wanted}, repeat=4):
        merged = [symbol for symbol, _ in itertools.groupby(path) if symbol != START]
        if merged == wanted:
            total += math.prod(float(probabilities[place, symbol]) for place, symbol in enumerate(path))
    loss = layer.loss(columns, pad_texts(["aa"]))
    assert float(loss.detach()) == pytest.approx(-math.log(total) / 2, rel=1e-4)


def test_words_without_text_or_with_too_few_columns_add_nothing_to_the_loss() -> None:
    torch.manual_seed(0)
    layer = CTCClassifier(5)
    columns = torch.randn(3, 5, 1, 2)
    alone = layer.loss(columns[:1], pad_texts(["ab"]))
    among = layer.loss(columns[:2], pad_texts(["ab", ""]))
    torch.testing.assert_close(among, alone)
    long = layer.loss(columns[2:], pad_texts(["abc"]))
    assert float(long.detach()) == 0


def test_the_likeliest_symbols_of_the_columns_spell_the_word_whatever_its_case() -> None:
    layer, columns = classifier_of({"B": 0.6}, {"b": 0.4, "B": 0.3}, {"-": 0.9}, {"B": 0.8}, {"7": 0.9}, {"": 0.9})
    best = layer(columns)[0].argmax(dim=1).tolist()
    assert "".join(SYMBOLS[symbol] for symbol, _ in itertools.groupby(best) if symbol != START) == "bb7"


def test_where_words_meet_stands_in_the_place_of_the_stop_symbol_and_takes_nothing_from_the_symbols() -> None:
    layer, columns = classifier_of({"a": 0.7, "": 0.3}, {"": 1.0}, {"b": 1.0})
    before = layer(columns)[0]
    with torch.no_grad():
        layer.separator.judge.get_parameter("bias").fill_(math.log(3))
    after = layer(columns)[0]
    assert before[:, STOP].tolist() == pytest.approx([0.0] * 3, abs=1e-4), "a new separator sees no words meet"
    assert after[:, STOP].tolist() == pytest.approx([0.75] * 3)
    others = [place for place in range(len(SYMBOLS)) if place != STOP]
    torch.testing.assert_close(before[:, others], after[:, others])
    assert after[:, others].sum(dim=1).tolist() == pytest.approx([1.0] * 3)


def test_the_loss_of_reading_passes_the_separator_by() -> None:
    layer = CTCClassifier(5)
    columns = torch.randn(1, 5, 1, 4)
    loss = layer.loss(columns, pad_texts(["ab"]))
    loss.backward()  # type: ignore[no-untyped-call]
    assert layer.linear.weight.grad is not None
    assert not any(parameter.requires_grad for parameter in layer.separator.parameters())
    with torch.no_grad():
        layer.separator.judge.get_parameter("bias").fill_(5.0)
    torch.testing.assert_close(layer.loss(columns, pad_texts(["ab"])), loss)


def test_a_separator_looks_two_columns_to_either_side() -> None:
    separator = Separator(3)
    with torch.no_grad():
        separator.judge.weight.fill_(1.0)
    columns = torch.zeros(1, 3, 1, 9)
    columns[:, :, :, 4] = 1
    changed = separator(columns)[0] != separator(torch.zeros(1, 3, 1, 9))[0]
    assert changed.nonzero().flatten().tolist() == [2, 3, 4, 5, 6]
