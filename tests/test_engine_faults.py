"""Training that is killed, interrupted, short of disk or fed with nonsense: nothing is lost, and the end is equal."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from small_training import SmallTraining, differences, end_of, kill_after, kill_once_there

from text_spotting.engine.checkpoints import read_snapshot, write_snapshot
from text_spotting.engine.torch_spotter import spotter_from_checkpoint
from text_spotting.errors import UserError


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> SmallTraining:
    return SmallTraining.make(tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="module")
def whole(training: SmallTraining) -> Path:
    """Two epochs of three iterations that nothing disturbs."""
    output = training.root / "whole"
    assert training.run(output, "--epochs", "2") == 0, training.log()[-2000:]
    return output


def same_end(output: Path, whole: Path) -> None:
    for name in ("latest.pth", "best.pth", "epoch_1.pth"):
        assert differences(output / name, whole / name) == [], name
    assert not list(output.glob(".*")), "no lock and no temporary file stays"


@pytest.mark.slow
def test_a_run_killed_in_validation_measures_the_epoch_first_and_keeps_the_same_best(
    training: SmallTraining, whole: Path, tmp_path: Path
) -> None:
    """The first snapshot appears when the first epoch is trained and not yet measured."""
    child = training.start(tmp_path, "--epochs", "2", "--workers", "2")
    assert kill_once_there(child, tmp_path / "latest.pth") == -signal.SIGKILL
    assert read_snapshot(tmp_path / "latest.pth")["meta"]["validation_due"]
    assert training.run(tmp_path, "--epochs", "2", "--workers", "1") == 0, training.log()[-2000:]
    same_end(tmp_path, whole)
    measured = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [record["iter"] for record in measured if record["kind"] == "val"] == [3, 6]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_run_saves_and_goes_on_to_the_same_end(
    training: SmallTraining, whole: Path, tmp_path: Path, number: int
) -> None:
    child = training.start(tmp_path, "--epochs", "2")
    assert kill_once_there(child, tmp_path / "tf_logs", number) == 130
    assert (tmp_path / "latest.pth").exists()
    assert training.run(tmp_path, "--epochs", "2") == 0, training.log()[-2000:]
    same_end(tmp_path, whole)


@pytest.mark.slow
def test_a_second_training_in_the_same_folder_is_refused(training: SmallTraining, tmp_path: Path) -> None:
    first = training.start(tmp_path, "--epochs", "50")
    while not (tmp_path / "tf_logs").exists():
        time.sleep(0.01)
    before = sorted(path.name for path in tmp_path.iterdir())
    assert training.run(tmp_path, "--epochs", "2") == 2
    assert f"another training writes into {tmp_path} (process {first} on " in training.log()
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    kill_after(first, 0)
    assert (tmp_path / ".lock").exists(), "left by the killed one"
    second = training.start(tmp_path, "--epochs", "50")
    kill_once_there(second, tmp_path / "latest.pth")


@pytest.mark.slow
def test_a_learning_rate_that_blows_the_weights_up_ends_with_one_line_and_good_snapshots(
    training: SmallTraining, tmp_path: Path
) -> None:
    assert training.run(tmp_path, "--epochs", "8", "--base-learning-rate", "1e30") == 2
    last = training.log().rstrip().splitlines()[-1]
    assert last.startswith("error: epoch "), last
    assert ".png" in last or "weights are not finite" in last
    assert "Traceback" not in training.log()
    for path in tmp_path.glob("*.pth"):
        read_snapshot(path)


@pytest.mark.slow
def test_a_bad_batch_is_passed_over_where_that_was_asked_for(training: SmallTraining, tmp_path: Path) -> None:
    """Steps of 1e30 make the losses of all that follow overflow: two are passed over, the third ends the run."""
    assert training.run(tmp_path, "--epochs", "2", "--base-learning-rate", "1e30", "--skip-bad-batches", "2") == 2
    said = training.log()
    assert said.count("passed over, with ") == 2
    assert "; 1 left" in said
    assert "; 0 left" in said


@pytest.mark.parametrize("place", ["/sys/kernel", "/proc/self"])
def test_an_existing_folder_that_cannot_be_written_is_named(training: SmallTraining, place: str) -> None:
    assert training.run(Path(place), "--epochs", "2") == 2
    assert f"error: --save-checkpoints-to: cannot write into {place}" in training.log()


@pytest.mark.slow
def test_a_folder_removed_while_training_is_one_line(training: SmallTraining, tmp_path: Path) -> None:
    child = training.start(tmp_path / "out", "--epochs", "50")
    while not (tmp_path / "out" / "tf_logs").exists():
        time.sleep(0.01)
    (tmp_path / "out").rename(tmp_path / "gone")
    assert end_of(child) in (0, 2)
    assert "Traceback" not in training.log()


@pytest.mark.slow
def test_a_full_disk_under_the_journal_is_one_line_and_the_snapshot_is_saved(
    training: SmallTraining, tmp_path: Path
) -> None:
    (tmp_path / "log.jsonl").symlink_to("/dev/full")
    assert training.run(tmp_path, "--epochs", "2") == 2
    assert f"training stopped: cannot write into {tmp_path} (No space left on device)" in training.log()
    assert read_snapshot(tmp_path / "latest.pth")["meta"]["epoch"] == 1
    assert "Traceback" not in training.log()


@pytest.mark.slow
def test_a_disk_that_fills_up_under_a_snapshot_leaves_the_one_before(training: SmallTraining, tmp_path: Path) -> None:
    """A disk of 200 MB takes one snapshot of this network and not a second one."""
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", tmp_path], check=False).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        assert training.run(tmp_path / "out", "--epochs", "2") == 2
        assert "error: --save-checkpoints-to: cannot write " in training.log().rstrip().splitlines()[-1]
        assert "Traceback" not in training.log()
        assert read_snapshot(tmp_path / "out" / "latest.pth")["meta"]["iter"] == 3
        assert not list((tmp_path / "out").glob(".*"))
    finally:
        subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("optimizer", "none"),
        ("optimizer", {"state": {}, "param_groups": "none"}),
        ("rng", {"torch": 1}),
        ("rng", [1, 2]),
        ("meta", {"epoch": 0, "iter": 10**12}),
        ("ema_state_dict", {"module.x": 1}),
        ("best", "high"),
    ],
    ids=["optimizer", "groups", "rng", "rng list", "iterations", "average", "best"],
)
def test_a_state_of_wrong_types_is_one_line(
    training: SmallTraining, whole: Path, tmp_path: Path, key: str, value: Any
) -> None:
    snapshot = read_snapshot(whole / "epoch_1.pth")
    snapshot[key] = value
    write_snapshot(snapshot, tmp_path / "bad.pth")
    assert training.run(tmp_path / "out", "--epochs", "2", "--resume-from", str(tmp_path / "bad.pth")) == 2
    assert "bad.pth" in training.log().rstrip().splitlines()[-1]


@pytest.mark.slow
def test_a_snapshot_with_six_tensors_is_refused_by_evaluation_and_training_unless_parts_are_asked_for(
    training: SmallTraining, whole: Path, tmp_path: Path
) -> None:
    weights = read_snapshot(whole / "latest.pth")["state_dict"]
    six = tmp_path / "six.pth"
    torch.save(dict(list(weights.items())[:6]), six)
    with pytest.raises(UserError, match=r"lacks 343 of .* 349 tensors \(roi_head\.text_head 157, backbone 102,"):
        spotter_from_checkpoint(training.root / "work" / "model.py", six)
    flags = ("--epochs", "1", "--load-weights", str(six))
    assert training.run(tmp_path / "out", *flags) == 2
    assert "lacks 343 of the network's 349 tensors" in training.log()
    assert training.run(tmp_path / "out", *flags, "--partial-weights") == 0
    assert "these begin anew" in training.log()


@pytest.fixture(autouse=True)
def own_log(training: SmallTraining) -> Iterator[None]:
    (training.root / "log.txt").unlink(missing_ok=True)
    os.close(os.open(training.root / "log.txt", os.O_CREAT))
    yield
