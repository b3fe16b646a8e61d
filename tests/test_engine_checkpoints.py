"""Snapshots: what is refused and how it is said, and what continues."""

import pickle
import random
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from text_spotting.engine.checkpoints import load_some_weights, load_weights, read_snapshot, write_snapshot
from text_spotting.engine.state import Position, position, read_position
from text_spotting.errors import UserError


class Runs:
    """Unpickling it would run code."""

    def __reduce__(self) -> Any:
        return print, ("code ran while a snapshot was loaded",)


def test_a_bare_state_dict_is_taken_as_one(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(2)}, tmp_path / "bare.pth")
    assert read_snapshot(tmp_path / "bare.pth")["state_dict"]["weight"].tolist() == [1, 1]


def test_a_snapshot_that_needs_code_is_refused_until_it_is_trusted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "code.pth"
    torch.save({"state_dict": {}, "meta": Runs()}, path)
    with pytest.raises(UserError, match="load it with trust"):
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


def test_weights_of_half_precision_and_of_parallel_training_load(tmp_path: Path) -> None:
    layer, path = nn.Linear(2, 3), tmp_path / "half.pth"
    half = {"module.weight": torch.zeros(3, 2), "module.bias": torch.full((3,), 0.5, dtype=torch.float16)}
    torch.save({"state_dict": half, "meta": {"epoch": 3}}, path)
    snapshot = read_snapshot(path)
    assert (list(snapshot["state_dict"]), snapshot["meta"]) == (["weight", "bias"], {"epoch": 3})
    load_weights(layer, snapshot, path)
    assert layer.bias.tolist() == [0.5, 0.5, 0.5]


def test_an_incomplete_snapshot_is_refused_unless_parts_are_asked_for() -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    part = {"state_dict": {"0.weight": torch.zeros(3, 2), "0.bias": torch.full((3,), 0.5)}}
    with pytest.raises(UserError, match=r"lacks 2 of the network's 4 tensors \(1 2\)"):
        load_weights(network, part, "part.pth")
    assert network.get_parameter("0.weight").any(), "refused before anything is loaded"
    assert load_some_weights(network, part, "part.pth") == "2 of the network's 4 tensors (1 2)"
    assert network.get_parameter("0.bias").tolist() == [0.5, 0.5, 0.5]


def test_weights_that_are_not_finite_are_neither_loaded_nor_written(tmp_path: Path) -> None:
    layer = nn.Linear(2, 3)
    broken = {"state_dict": {"weight": torch.zeros(3, 2), "bias": torch.tensor([0.0, float("nan"), 0.0])}}
    with pytest.raises(UserError, match="bias holds NaN"):
        load_weights(layer, broken, "nan.pth")
    with pytest.raises(UserError, match=r"weights are not finite \(bias\)"):
        write_snapshot(broken, tmp_path / "nan.pth")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", range(6))
def test_fifty_flipped_bytes_are_found_by_the_checksums(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "flipped.pth"
    torch.save({"state_dict": {str(index): torch.randn(1000) for index in range(20)}}, path)
    content = bytearray(path.read_bytes())
    chosen = random.Random(seed)
    for _ in range(50):
        content[chosen.randrange(len(content))] ^= 1 << chosen.randrange(8)
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"flipped\.pth"):
        read_snapshot(path)


def test_a_zip_bomb_is_refused_without_being_blown_up(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", pickle.dumps({"state_dict": {}}, protocol=2))
        archive.writestr("bomb/data/0", bytes(50_000_000))
    tracemalloc.start()
    with pytest.raises(UserError, match="records are compressed"):
        read_snapshot(path)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_a_pickle_that_only_asks_for_memory_is_refused(tmp_path: Path) -> None:
    """``bytearray(10**10)`` in a few bytes: PyTorch's weights_only lets it through."""
    path = tmp_path / "greedy.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("greedy/data.pkl", b"\x80\x02cbuiltins\nbytearray\n\x8a\x05\x00\xe4\x0bT\x02\x85R.")
        archive.writestr("greedy/version", b"3\n")
    with pytest.raises(UserError, match=r"builtins\.bytearray"):
        read_snapshot(path)


def test_a_photo_named_pth_is_not_recommended_for_trust(tmp_path: Path) -> None:
    (tmp_path / "photo.pth").write_bytes(bytes.fromhex("ffd8ffe000104a46494600") + bytes(1000))
    with pytest.raises(UserError, match="is not a PyTorch snapshot") as refused:
        read_snapshot(tmp_path / "photo.pth")
    assert "trust" not in str(refused.value)


def test_a_snapshot_of_an_old_pytorch_still_loads(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(2)}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert read_snapshot(tmp_path / "old.pth")["state_dict"]["weight"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("meta", "wanted"),
    [
        ({"epoch": "three"}, "meta.epoch"),
        ({"iter": 10**12}, "meta.iter"),
        ({"iter": -1}, "meta.iter"),
        ({"iters_per_epoch": 0}, "meta.iters_per_epoch"),
        ([1, 2], "meta"),
    ],
    ids=["a word", "more than was ever trained", "below 0", "epochs of nothing", "a list"],
)
def test_a_place_that_cannot_be_is_named(meta: Any, wanted: str) -> None:
    with pytest.raises(UserError, match=rf"{wanted}: ") as refused:
        read_position({"meta": meta}, "bad.pth")
    assert "\n" not in str(refused.value)


def test_a_failed_write_leaves_the_old_snapshot_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "latest.pth"
    write_snapshot({"state_dict": {"weight": torch.ones(1)}}, path)
    with pytest.raises(Exception, match="pickle"):
        write_snapshot({"state_dict": {}, "meta": lambda: None}, path)
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
def test_training_goes_on_at_the_place_where_it_stopped(meta: dict[str, Any], place: tuple[int, int]) -> None:
    assert position(Position(**meta), iters_per_epoch=10) == place
