"""Shipping a snapshot: parts joined, halved, complete."""

from pathlib import Path

import pytest
import torch
from small_networks import TEMPLATES, small_network

from text_spotting.alphabet import DEFAULT
from text_spotting.cli.main import BAD_INPUT, run_tool
from text_spotting.cli.make_snapshot import weighted
from text_spotting.engine.checkpoints import read_snapshot, write_snapshot

CONFIG = str(TEMPLATES / "text-spotting-0003-lite" / "model.py")


def parts(folder: Path) -> tuple[str, str]:
    """A detector's checkpoint without recogniser, and a recogniser's with all ones."""
    _, network = small_network("text-spotting-0003-lite")
    weights = network.state_dict()
    text = {name for name in weights if "text_head" in name}
    write_snapshot(
        {"state_dict": {n: weights[n] for n in weights.keys() - text}, "meta": {"iter": 30}}, folder / "d.pth"
    )
    ones = {name: torch.ones_like(weights[name]) for name in text}
    write_snapshot({"state_dict": ones, "meta": {"iter": 12}, "optimizer": {}}, folder / "r.pth")
    return str(folder / "d.pth"), str(folder / "r.pth")


@pytest.mark.slow
def test_parts_are_joined_in_half_precision_without_training_state(tmp_path: Path) -> None:
    output = tmp_path / "snapshot.pth"
    assert (
        run_tool("make_snapshot", [*parts(tmp_path), "--config", CONFIG, "--output", str(output), "--epoch", "8"]) == 0
    )
    made = read_snapshot(output)
    assert set(made) == {"meta", "state_dict"}
    assert made["meta"] == {"epoch": 8, "iter": 42, "alphabet": DEFAULT.to_dict()}
    assert made["state_dict"]["roi_head.text_head.decoder.v"].eq(1).all()
    assert made["state_dict"]["roi_head.text_head.decoder.v"].dtype == torch.float16
    assert made["state_dict"]["neck.out.0.1.running_var"].dtype == torch.float32
    assert output.stat().st_size < 15e6


@pytest.mark.slow
def test_a_network_that_is_not_complete_is_not_shipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    detector, _ = parts(tmp_path)
    output = tmp_path / "snapshot.pth"
    assert (
        run_tool("make_snapshot", [detector, "--config", CONFIG, "--output", str(output), "--epoch", "8"]) == BAD_INPUT
    )
    assert "the first is roi_head.text_head" in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.slow
def test_means_are_weighted_and_joined_behind_the_parts(tmp_path: Path) -> None:
    detector, _ = parts(tmp_path)
    _, network = small_network("text-spotting-0003-lite")
    for name, value, steps in (("one", 1.0, 5), ("two", 5.0, 7)):
        text = {n: torch.full_like(v, value) for n, v in network.state_dict().items() if "text_head" in n}
        write_snapshot({"state_dict": text, "meta": {"iter": steps}}, tmp_path / f"{name}.pth")
    mean = [f"{tmp_path}/one.pth:3", f"{tmp_path}/two.pth"]
    output = tmp_path / "snapshot.pth"
    flags = [detector, "--mean", *mean, "--config", CONFIG, "--output", str(output), "--epoch", "8"]
    assert run_tool("make_snapshot", flags) == 0
    made = read_snapshot(output)
    assert made["state_dict"]["roi_head.text_head.decoder.v"].eq(2).all(), "(3 * 1 + 5) / 4"
    assert made["meta"]["iter"] == 42


@pytest.mark.slow
def test_snapshots_of_different_networks_have_no_mean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--mean", *parts(tmp_path), "--config", CONFIG, "--output", str(tmp_path / "o.pth"), "--epoch", "8"]
    assert run_tool("make_snapshot", flags) == BAD_INPUT
    assert "have no mean: they differ in backbone" in capsys.readouterr().err
    assert run_tool("make_snapshot", flags[3:]) == BAD_INPUT
    assert "name checkpoints, or give --mean" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ("a.pth", ("a.pth", 1)),
        ("a.pth:0.35", ("a.pth", 0.35)),
        ("C:/a.pth", ("C:/a.pth", 1)),
        ("x:y.pth:2", ("x:y.pth", 2)),
    ],
)
def test_a_weight_stands_behind_the_last_colon(entry: str, wanted: tuple[str, float]) -> None:
    assert weighted(entry) == wanted
