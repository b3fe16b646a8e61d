"""Snapshots: what is refused and how it is said, and what continues."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from text_spotting.engine.checkpoints import load_weights, position, read_snapshot, write_snapshot
from text_spotting.errors import UserError


class Runs:
    """Unpickling it would run code."""

    def __reduce__(self) -> Any:
        return print, ("code ran while a snapshot was loaded",)


def test_a_bare_state_dict_is_taken_as_one(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(2)}, tmp_path / "bare.pth")
    assert read_snapshot(tmp_path / "bare.pth")["state_dict"]["weight"].tolist() == [1, 1]


def test_a_snapshot_that_needs_code_is_refused_until_it_is_trusted(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "code.pth"
    torch.save({"state_dict": {}, "meta": Runs()}, path)
    with pytest.raises(UserError, match="add --trust-snapshot"):
        read_snapshot(path)
    assert "code ran" not in capsys.readouterr().out
    read_snapshot(path, trust=True)
    assert "code ran" in capsys.readouterr().out


def half_a_snapshot(path: Path) -> None:
    torch.save({"state_dict": {"weight": torch.ones(1000)}}, path)
    path.write_bytes(path.read_bytes()[:2000])


@pytest.mark.parametrize(
    "spoil",
    [
        half_a_snapshot,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"a text file"),
        lambda path: torch.save([1, 2], path),
        lambda path: path.write_bytes(pickle.dumps({"a": 1})),
    ],
    ids=["cut off", "empty", "not a snapshot", "a list", "a plain pickle without weights"],
)
def test_files_that_are_no_snapshots_are_named(tmp_path: Path, spoil: Any) -> None:
    spoil(tmp_path / "bad.pth")
    with pytest.raises(UserError, match=r"bad\.pth"):
        load_weights(nn.Linear(2, 3), read_snapshot(tmp_path / "bad.pth"), tmp_path / "bad.pth")


def test_a_missing_snapshot_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.pth does not exist"):
        read_snapshot(tmp_path / "none.pth")


def test_a_snapshot_of_another_template_is_refused_before_anything_is_loaded() -> None:
    layer = nn.Linear(2, 3)
    before = layer.bias.clone()
    with pytest.raises(UserError, match=r"weight is \(3, 5\) there, \(3, 2\) here"):
        load_weights(layer, {"state_dict": {"weight": torch.ones(3, 5), "bias": torch.ones(3)}}, "other.pth")
    assert torch.equal(layer.bias, before)


def test_weights_of_half_precision_and_of_parallel_training_load() -> None:
    layer = nn.Linear(2, 3)
    load_weights(layer, {"state_dict": {"module.bias": torch.full((3,), 0.5, dtype=torch.float16)}}, "half.pth")
    assert layer.bias.tolist() == [0.5, 0.5, 0.5]


def test_a_failed_write_leaves_the_old_snapshot_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "latest.pth"
    write_snapshot({"state_dict": {"weight": torch.ones(1)}}, path)
    with pytest.raises(Exception, match="pickle"):
        write_snapshot({"state_dict": {"weight": lambda: None}}, path)
    assert read_snapshot(path)["state_dict"]["weight"].item() == 1
    assert [file.name for file in tmp_path.iterdir()] == ["latest.pth"]


@pytest.mark.parametrize(
    ("meta", "place"),
    [
        ({"epoch": 2, "iter": 27, "iters_per_epoch": 10}, (2, 27)),
        ({"epoch": 24, "iter": 6000}, (24, 240)),
        ({"epoch": 2, "iter": 27, "iters_per_epoch": 13}, (2, 20)),
        ({}, (0, 0)),
    ],
    ids=["within an epoch", "mmcv 1, other data", "epochs of another length", "no meta"],
)
def test_training_goes_on_at_the_place_where_it_stopped(meta: dict[str, int], place: tuple[int, int]) -> None:
    assert position(meta, iters_per_epoch=10) == place
