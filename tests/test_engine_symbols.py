"""A snapshot's alphabet: noted, checked on load, and carried over symbol by symbol."""

from pathlib import Path
from typing import Any

import pytest
import torch
from small_networks import TEMPLATES

from text_spotting.alphabet import DEFAULT, STOP, Alphabet
from text_spotting.engine.checkpoints import load_weights
from text_spotting.engine.symbols import NEW, alphabet_of, carry_over, matching_rows, snapshot_alphabet
from text_spotting.engine.torch_spotter import build_network, manifest_of
from text_spotting.errors import UserError
from text_spotting.workdir.config import load_config


def network_of(alphabet: Any, tmp_path: Path) -> tuple[Any, Any]:
    """Lite's network for an alphabet that its work dir's model.py names."""
    (tmp_path / "model.py").write_text(
        f"_base_ = [{str(TEMPLATES / 'text-spotting-0003-lite' / 'model.py')!r}]\nalphabet = {alphabet!r}\n"
    )
    config = load_config(tmp_path / "model.py")
    return config, build_network(config)


def numbered(network: Any) -> dict[str, torch.Tensor]:
    """Weights in which every class's row holds its number."""
    weights = network.state_dict()
    for name in network.roi_head.text_head.symbol_rows:
        tensor = weights[f"roi_head.text_head.{name}"]
        tensor.copy_(torch.arange(len(tensor)).view(-1, *[1] * (tensor.dim() - 1)).expand_as(tensor))
    return dict(weights)


def test_one_key_reaches_text_head_data_set_and_manifest(tmp_path: Path) -> None:
    config, network = network_of({"name": "cyrillic", "max_length": 12}, tmp_path)
    wanted = Alphabet.of({"name": "cyrillic", "max_length": 12})
    assert alphabet_of(network) == wanted
    assert Alphabet.of(config.train_dataloader.dataset.alphabet) == wanted
    assert manifest_of(config).alphabet == wanted
    assert network.roi_head.text_head.decoder.out.out_features == 59
    rows = {name: len(network.roi_head.text_head.state_dict()[name]) for name in network.roi_head.text_head.symbol_rows}
    assert len(rows) == 3 and set(rows.values()) == {59}


def test_only_a_head_that_reads_columns_has_rows_of_characters(tmp_path: Path) -> None:
    _, network = network_of("alphanumeric", tmp_path)
    head = network.roi_head.text_head
    assert head.character_rows == ["ctc.linear.weight", "ctc.linear.bias"]
    assert {len(head.state_dict()[name]) for name in head.character_rows} == {95}, "the blank, 52 + 10 + 32 characters"
    published: Any = build_network(load_config(TEMPLATES / "text-spotting-0003" / "model.py"))
    assert published.roi_head.text_head.character_rows == []


def test_rows_move_by_their_symbol_and_a_new_case_starts_as_the_other() -> None:
    ours = Alphabet.of({"symbols": "9bBж", "fold_case": False})
    assert matching_rows(DEFAULT, ours) == [0, STOP, 37, 3, 3, NEW]


@pytest.mark.slow
def test_a_snapshot_of_another_alphabet_gives_all_but_the_rows_of_new_symbols(tmp_path: Path) -> None:
    _, old = network_of("alphanumeric", tmp_path)
    _, new = network_of({"symbols": "9bBж", "fold_case": False}, tmp_path)
    fresh = {name: tensor.clone() for name, tensor in new.state_dict().items()}
    fitting, carried = carry_over(new, {"state_dict": numbered(old), "meta": {"epoch": 8}})
    load_weights(new, fitting, "snapshot.pth")
    for name, tensor in new.state_dict().items():
        part = name.removeprefix("roi_head.text_head.")
        if part in new.roi_head.text_head.symbol_rows:
            assert tensor[:5].reshape(5, -1)[:, 0].tolist() == [0, 1, 37, 3, 3], name
            assert torch.equal(tensor[5], fresh[name][5]), "a new symbol starts from nothing"
        elif part in new.roi_head.text_head.character_rows:
            kept = old.state_dict()[name]
            assert torch.equal(tensor[:-1], kept), "all that is printable has a row in every alphabet"
            assert torch.equal(tensor[-1], fresh[name][-1])
        else:
            assert torch.equal(tensor, old.state_dict()[name]), name
    assert str(carried) == (
        "symbols: 2 kept (9b), 1 started from their other case (B), 1 new (ж), "
        "34 left out (acdefghijklmnopqrstuvwxyz012345678)"
    )
    assert snapshot_alphabet(fitting) == Alphabet.of({"symbols": "9bBж", "fold_case": False})


def test_a_snapshot_of_the_same_alphabet_is_loaded_as_it_is(tmp_path: Path) -> None:
    _, network = network_of("alphanumeric", tmp_path)
    snapshot: dict[str, Any] = {"state_dict": {}, "meta": {}}
    assert carry_over(network, snapshot) == (snapshot, None)


@pytest.mark.parametrize("symbols", ["abcdefghijklmnopqrstuvwxyz9876543210", "0123456789"], ids=["as many", "fewer"])
def test_evaluating_or_exporting_with_another_alphabet_is_refused(tmp_path: Path, symbols: str) -> None:
    _, network = network_of({"symbols": symbols}, tmp_path)
    snapshot = {"state_dict": network.state_dict(), "meta": {"alphabet": DEFAULT.to_dict()}}
    with pytest.raises(UserError, match=r"s\.pth reads 36 symbols .*set 'alphabet' in model\.py"):
        load_weights(network, snapshot, "s.pth")
