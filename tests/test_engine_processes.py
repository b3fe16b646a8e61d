"""Training in several processes with torchrun: equal to one process, shared out, and ending together."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from small_training import SmallTraining

from text_spotting.engine.checkpoints import read_snapshot

NOTHING_LEFT_TO_CHANCE = """
model["roi_head"]["text_head"]["dropout"] = 0.0
model["train_cfg"]["rpn"]["sampler"]["num"] = model["train_cfg"]["rcnn"]["sampler"]["num"] = 100000
model["train_cfg"]["rcnn"]["words_read"] = 100
__import__("text_spotting.frames").frames.FrameJitter.__call__ = lambda self, frame, rng: frame
optim_wrapper.update(optimizer=dict(type="SGD", lr=0.1, momentum=0.9), clip_grad=dict(max_norm=10.0))
custom_hooks[1]["interval"] = 1
custom_hooks.pop()
"""
"""Samples are all taken, nothing is dropped or jittered, and steps are proportional to gradients."""


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> SmallTraining:
    return SmallTraining.make(tmp_path_factory.mktemp("training"), NOTHING_LEFT_TO_CHANCE)


def torchrun(training: SmallTraining, output: Path, *more: str, launch: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Start train.py in two processes."""
    run = [sys.executable, "-m", "torch.distributed.run", *(launch or ("--standalone", "--nproc-per-node=2"))]
    command = [*run, str(training.root / "work" / "train.py"), *training.arguments(output, *more)]
    one_thread = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
    }  # on few cores, processes that take all of them wait for each other
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=one_thread)


def journal(output: Path, kind: str) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
    return [record for record in records if record["kind"] == kind]


@pytest.fixture(scope="module")
def one(training: SmallTraining) -> Path:
    assert training.run(training.root / "one", "--epochs", "2") == 0, training.log()[-2000:]
    return training.root / "one"


@pytest.fixture(scope="module")
def two(training: SmallTraining) -> Path:
    running = torchrun(training, training.root / "two", "--epochs", "2", "--batch-size", "1")
    said = running.communicate()[0]
    assert running.returncode == 0, said[-3000:]
    return training.root / "two"


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one_with_the_same_batch_in_all(one: Path, two: Path) -> None:
    first, second = journal(one, "train"), journal(two, "train")
    assert [record["iter"] for record in second] == [1, 2, 3, 4, 5, 6]
    for lone, shared in zip(first, second, strict=True):
        for name in lone.keys() - {"kind", "seconds", "acc"}:
            assert lone[name] == pytest.approx(shared[name], rel=1e-3, abs=1e-4), (lone["iter"], name)


@pytest.mark.slow
def test_two_processes_end_with_the_weights_and_figures_of_one(one: Path, two: Path) -> None:
    lone, shared = (read_snapshot(folder / "latest.pth")["state_dict"] for folder in (one, two))
    assert lone.keys() == shared.keys()
    for name, tensor in lone.items():
        torch.testing.assert_close(
            tensor,
            shared[name],
            rtol=1e-3,
            atol=1e-4,
            msg=lambda difference, name=name: f"{name}: {difference}",  # type: ignore[misc]
        )
    measured = [[{**record, "seconds": 0} for record in journal(folder, "val")] for folder in (one, two)]
    assert measured[0] == measured[1]


@pytest.mark.slow
def test_the_learning_rate_is_scaled_with_the_batches_in_all(training: SmallTraining, tmp_path: Path) -> None:
    """The template's batch is 4; two processes with 3 images each have 6."""
    running = torchrun(training, tmp_path, "--epochs", "1", "--batch-size", "3", "--scale-lr")
    said = running.communicate()[0]
    assert running.returncode == 0, said[-3000:]
    assert "--scale-lr: the learning rate is 1.5 x 0.1" in said, "the rate that model.py names"


@pytest.mark.slow
def test_a_killed_worker_ends_all_of_them_and_the_snapshot_stays(training: SmallTraining, tmp_path: Path) -> None:
    running = torchrun(training, tmp_path, "--epochs", "500", "--batch-size", "1")
    while not (tmp_path / "epoch_1.pth").exists():
        assert running.poll() is None
        time.sleep(0.1)
    workers = children_of(running.pid)
    os.kill(workers[-1], signal.SIGKILL)
    said = running.communicate(timeout=180)[0]
    assert running.returncode != 0
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    assert "training stopped: another process of this run ended" in said, said[-3000:]
    assert not re.search(r"Traceback[^\n]*\n(?:  .*\n)*  File .*text_spotting", said)
    assert read_snapshot(tmp_path / "latest.pth")["meta"]["epoch"] >= 1


@pytest.mark.slow
def test_two_nodes_that_meet_at_an_address_train_together(training: SmallTraining, two: Path, tmp_path: Path) -> None:
    meet = ("--nnodes=2", "--nproc-per-node=1", "--rdzv-backend=c10d", "--rdzv-endpoint=127.0.0.1:29611")
    flags = ("--epochs", "2", "--batch-size", "1")
    nodes = [torchrun(training, tmp_path, *flags, launch=(*meet, "--rdzv-id=test")) for _ in range(2)]
    for node in nodes:
        assert node.communicate()[0] is not None
        assert node.returncode == 0
    assert numbers(tmp_path) == [pytest.approx(record, rel=1e-3, abs=1e-4) for record in numbers(two)]


def numbers(folder: Path) -> list[dict[str, float]]:
    """What a training noted of its steps, but for the time they took."""
    return [{key: record[key] for key in record.keys() - {"kind", "seconds"}} for record in journal(folder, "train")]


def children_of(process: int) -> list[int]:
    """Ids of the processes that a process has started, oldest first."""
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
