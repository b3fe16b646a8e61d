"""The real ``train.py`` of a work dir, small enough to be killed often."""

import contextlib
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import torch
from small_networks import TEMPLATES
from test_data import image_of

from text_spotting.annotations.dataset_file import write_dataset
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.cli.main import run_tool
from text_spotting.engine.checkpoints import read_snapshot

SMALLER = """
input_size = (192, 96)
train_dataloader["dataset"].update(repeat=1, transforms=[dict(type="RandomView", size=(144, 96), fit=(144, 96))])
model["train_cfg"]["rpn_proposal"].update(nms_pre=20, max_per_img=10)
model["test_cfg"]["rpn"].update(nms_pre=20, max_per_img=10)
model["test_cfg"]["rcnn"].update(score_thr=0.0, max_per_img=5)
custom_hooks.append(dict(type="EMAHook", momentum=0.25, update_buffers=True, begin_iter=2))
"""
"""Lines at the end of model.py: small images, few proposals, a moving average of the weights."""


@dataclass(frozen=True)
class SmallTraining:
    """A work dir of text-spotting-0003-lite with six images."""

    root: Path

    @classmethod
    def make(cls, root: Path, more: str = "") -> "SmallTraining":
        """Instantiate the template without its snapshot, shrink it, and draw the images."""
        template = TEMPLATES / "text-spotting-0003-lite" / "template.yaml"
        root.mkdir(parents=True, exist_ok=True)
        assert run_tool("instantiate_template", [str(template), str(root / "work"), "--do-not-load-snapshot"]) == 0
        with (root / "work" / "model.py").open("a") as file:
            file.write(SMALLER + more)
        images = []
        for index in range(6):
            sample = image_of((20 + 10 * index, 20, 80 + 10 * index, 40), (30, 60, 120, 80))
            cv2.imwrite(str(root / f"{index}.png"), sample.image)
            images.append(AnnotatedImage(root / f"{index}.png", 200, 100, sample.words))
        write_dataset(root / "annotation.json", images)
        return cls(root)

    def arguments(self, output: Path, *more: str) -> list[str]:
        """The command line of train.py."""
        files, roots = str(self.root / "annotation.json"), str(self.root)
        data = ["--train-ann-files", files, "--train-data-roots", roots, "--val-ann-files", files]
        sizes = ["--val-data-roots", roots, "--batch-size", "2", "--gpu-num", "0", "--workers", "0"]
        return [*data, *sizes, "--save-checkpoints-to", str(output), *more]

    def run(self, output: Path, *more: str) -> int:
        """Train in a process of its own, to the end; return its exit code."""
        return end_of(self.start(output, *more))

    def start(self, output: Path, *more: str) -> int:
        """Train in a process of its own, forked from this one so that nothing is imported again; return its id."""
        latest = output / "latest.pth"
        going_on = ["--resume-from", str(latest)] if latest.exists() else []
        if child := os.fork():
            return child
        code = 99
        try:
            os.setpgid(0, 0)
            torch.set_num_threads(1)  # the parent's threads are not here, and waiting for them would never end
            sys.argv = [str(self.root / "work" / "train.py")]
            sys.stdout = sys.stderr = (self.root / "log.txt").open("a", buffering=1)
            os.dup2(sys.stdout.fileno(), 1)
            os.dup2(sys.stdout.fileno(), 2)
            code = run_tool("train", self.arguments(output, *going_on, *more))
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def log(self) -> str:
        """What all runs have said."""
        return (self.root / "log.txt").read_text()


def end_of(child: int) -> int:
    """Wait for a process; its exit code, or the negative number of the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_after(child: int, seconds: float, number: int = signal.SIGKILL) -> int:
    """Send a signal to a process, unless it ends before; return how it ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, number)
    code = end_of(child)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # its loading processes
    return code


def kill_once_there(child: int, path: Path, number: int = signal.SIGKILL, seconds: float = 120) -> int:
    """Send a signal to a process as soon as a file is there."""
    until = time.monotonic() + seconds
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.005)
    return kill_after(child, 0, number)


def differences(one: Path, other: Path) -> list[str]:
    """Keys under which two snapshots differ in a single bit."""
    return list(_differences(read_snapshot(one), read_snapshot(other), ""))


def _differences(one: Any, other: Any, key: str) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() | other.keys():
            yield from _differences(one.get(name), other.get(name), f"{key}.{name}")
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        for index, (first, second) in enumerate(zip(one, other, strict=True)):
            yield from _differences(first, second, f"{key}.{index}")
    elif isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        if not torch.equal(one, other):
            yield key
    elif one != other:
        yield key
