"""Does to the toolkit what goes wrong on other people's machines, and says what was lost.

    python tests/faults.py --kills 50 --output docs/reliability-table.md

Kills a training at random moments until it has been killed so often, goes on each time, and compares the end with a
run that nothing disturbed, bit for bit. Every other row runs the tests that make the fault. Exit code 1: something was
lost.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).parent))

from small_training import SmallTraining, differences, kill_after, kill_once_there

from text_spotting.engine.checkpoints import read_snapshot

TESTS = Path(__file__).parent
EPOCHS = 400
"""More than any of these trainings reaches."""
MADE_BY_TESTS = [
    ("kill -9 in validation", "test_engine_faults.py", "killed_in_validation", "nothing; measured first on resuming"),
    ("Ctrl-C, SIGTERM in training", "test_engine_faults.py", "interrupted_run", "nothing"),
    ("two trainings, one folder", "test_engine_faults.py", "second_training", "nothing; the second is refused"),
    ("learning rate 1e30", "test_engine_faults.py", "blows or bad_batch", "nothing saved is not finite"),
    ("folder not writable, removed", "test_engine_faults.py", "cannot_be_written or removed", "one line, no traceback"),
    ("disk full", "test_engine_faults.py", "full_disk", "the step's log lines; the snapshot is whole"),
    ("snapshot of wrong types", "test_engine_faults.py", "wrong_types", "one line, no traceback"),
    ("50 flipped bytes in a snapshot", "test_engine_checkpoints.py", "flipped", "refused"),
    ("zip bomb, greedy pickle, JPEG", "test_engine_checkpoints.py", "bomb or memory or photo", "refused"),
    ("incomplete snapshot", "test_engine_checkpoints.py", "incomplete or finite", "refused"),
    ("worker of torchrun killed", "test_engine_processes.py", "killed_worker", "steps since the last save; all end"),
    ("endless, slow, wrong downloads", "test_workdir_download.py", "body or length or part", "refused at its size"),
    ("four downloads at once", "test_workdir_download.py", "four", "nothing; fetched once"),
    ("template writes elsewhere", "test_workdir_template.py", "mistake", "refused"),
    ("link in the work dir", "test_workdir_instantiate.py", "link", "refused"),
    ("SIGTERM to visualize --video", "test_visualize.py", "sigterm", "nothing; video opens, words saved"),
    ("Ctrl-C, SIGTERM, model freed elsewhere", "test_runtime_signals.py", "freed", "nothing; handled as told"),
    ("200 idle viewers", "test_visualize.py", "idle or asks", "nothing; newcomers are served"),
    ("processes that draw or work die", "test_processes.py", "killed", "nothing on Ray; else one line, and it goes on"),
    ("processes that read images die", "test_read_many.py", "dies or killed", "nothing; one row an input"),
]
"""Fault, file and name of the tests that make it, and what may be lost."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    fault: str
    how: str
    times: int
    lost: str
    holds: bool


def kill_training(training: SmallTraining, times: int, seconds: float, number: int, name: str) -> Row:
    """Kill one training so often, at random moments, and compare it with one that nothing disturbs as long."""
    chosen, output, killed, lost = random.Random(0), training.root / name, 0, 0
    while killed < times:
        code = kill_after(training.start(output, "--epochs", str(EPOCHS)), chosen.uniform(0.0, seconds), number)
        if code == 0:
            raise SystemExit(f"finished all {EPOCHS} epochs after {killed} of {times}: give fewer --seconds")
        killed += 1
        lost = max(lost, steps_done(output) - steps_saved(output))
        print(f"{name} {killed}: {steps_saved(output)} steps saved, exit {code}", flush=True)
    last = max(1, steps_saved(output) // 3)
    for folder in (output, training.root / "undisturbed"):
        if not (folder / f"epoch_{last}.pth").exists():
            training_until(training, folder, last)
    unequal = differences(output / f"epoch_{last}.pth", training.root / "undisturbed" / f"epoch_{last}.pth")
    print(f"{name}: epoch {last} {'differs: ' + unequal[0] if unequal else 'is equal bit for bit'}", flush=True)
    return Row(
        f"{name} in training",
        f"0 to {seconds:g} s after each start; 3 steps an epoch, all state and the best compared",
        killed,
        f"at most {lost} steps since the last save; epoch {last} {'differs' if unequal else 'equal bit for bit'}",
        not unequal,
    )


def training_until(training: SmallTraining, output: Path, epoch: int) -> None:
    """Train until an epoch is finished."""
    child = training.start(output, "--epochs", str(EPOCHS))
    kill_once_there(child, output / f"epoch_{epoch}.pth", signal.SIGTERM, 3600)


def steps_saved(output: Path) -> int:
    """Steps that the newest snapshot has."""
    path = output / "latest.pth"
    return int(read_snapshot(path)["meta"]["iter"]) if path.exists() else 0


def steps_done(output: Path) -> int:
    """Steps that the journal tells of."""
    path = output / "log.jsonl"
    records = path.read_text().splitlines()[-2:] if path.exists() else []
    return max((int(json.loads(line)["iter"]) for line in records if line.endswith("}")), default=0)


def run_tests() -> list[Row]:
    """Run the tests of every fault."""
    rows = []
    for fault, file, names, lost in MADE_BY_TESTS:
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.xml"
            command = [sys.executable, "-m", "pytest", "-q", str(TESTS / file), "-k", names, f"--junitxml={report}"]
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
            suite = next(ElementTree.parse(report).iter("testsuite"))
        run = int(suite.get("tests", 0)) - int(suite.get("skipped", 0))
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        print(f"{fault}: {run} tests, {failed} failed", flush=True)
        rows.append(Row(fault, f"{file} -k '{names}'", run, lost, run > 0 and not failed))
    return rows


def table(rows: list[Row]) -> str:
    """Markdown."""
    lines = ["| fault | how it was made | how often | what was lost | holds |", "|---|---|---|---|---|"]
    lines += [f"| {r.fault} | {r.how} | {r.times} | {r.lost} | {'yes' if r.holds else '**no**'} |" for r in rows]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Make the faults and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="kill -9 in training (default: 50)")
    parser.add_argument("--stops", type=int, default=5, help="SIGTERM in training (default: 5)")
    parser.add_argument("--seconds", type=float, default=14.0, help="longest life of a training (default: 14)")
    parser.add_argument("--no-tests", action="store_true", help="only kill and stop training")
    parser.add_argument("--output", type=Path, help="write the table there")
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        training = SmallTraining.make(Path(folder), 'custom_hooks[1]["interval"] = 1\n')
        for name, number, times in (("kill -9", signal.SIGKILL, args.kills), ("SIGTERM", signal.SIGTERM, args.stops)):
            if times:
                rows.append(kill_training(training, times, args.seconds, number, name))
    rows += [] if args.no_tests else run_tests()
    print(table(rows))
    if args.output:
        args.output.write_text(table(rows))
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
