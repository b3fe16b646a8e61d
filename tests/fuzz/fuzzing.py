"""Spoil files and read them: nothing but the clean error may come out, and soon.

    python tests/fuzz/fuzzing.py --inputs 100000 --seed 0

prints a table; exit code 1 and the inputs themselves, below ``--keep``, where something else came out.
"""

import argparse
import contextlib
import random
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mutations import spoiled
from targets import Target, targets

from text_spotting.errors import UserError

SLOWEST = 2.0
"""Seconds that a small file may take."""
MOST_MEGABYTES = 500


@dataclass
class Outcome:
    """What a run met.

    Attributes:
        read, refused: inputs that were read, and that ended in the clean error, by target.
        faults: what should not have happened, with the input.
        slowest: seconds of the slowest input by target.
    """

    read: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[str, str, bytes]] = field(default_factory=list)
    slowest: dict[str, float] = field(default_factory=lambda: defaultdict(float))


def fuzz(chosen: Sequence[Target], inputs: int, seed: int, seconds: float = float("inf")) -> Outcome:
    """Read so many spoiled files, fewer where the time is over; slow targets get one in a hundred of their share."""
    rng, outcome, end = random.Random(seed), Outcome(), time.monotonic() + seconds
    for number in range(inputs):
        if time.monotonic() > end:
            break
        target = chosen[number % len(chosen)]
        if not (target.slow and rng.random() > 0.01):
            _try(target, spoiled(target.seed, rng), outcome)
    return outcome


def _try(target: Target, content: bytes, outcome: Outcome) -> None:
    target.file.parent.mkdir(parents=True, exist_ok=True)
    target.file.write_bytes(content)
    start = time.process_time()  # other work on the machine must not count
    try:
        target.read()
        outcome.read[target.name] += 1
    except UserError as error:
        outcome.refused[target.name] += 1
        if "\n" in str(error) or not str(error).isprintable():
            outcome.faults.append((target.name, f"not one line: {str(error)!r}", content))
    except (Exception, MemoryError):
        outcome.faults.append((target.name, traceback.format_exc(limit=-4), content))
    spent = time.process_time() - start
    outcome.slowest[target.name] = max(outcome.slowest[target.name], spent)
    if spent > SLOWEST and not target.slow:
        outcome.faults.append((target.name, f"took {spent:.1f} s", content))
    target.file.write_bytes(target.seed)


def megabytes() -> float:
    """Most memory that this process has had."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1 << 20)


def table(outcome: Outcome) -> str:
    """Inputs by target."""
    rows = [f"{'target':28} {'read':>7} {'refused':>8} {'slowest, s':>11}"]
    for name in sorted({*outcome.read, *outcome.refused}):
        counts = f"{outcome.read[name]:>7} {outcome.refused[name]:>8}"
        rows.append(f"{name:28} {counts} {outcome.slowest[name]:>11.2f}")
    return "\n".join(rows)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after that long")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-faults"))
    parser.add_argument("--only", help="part of a target's name")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        chosen = [one for one in targets(Path(folder)) if args.only is None or args.only in one.name]
        base, start = megabytes(), time.monotonic()
        outcome = fuzz(chosen, args.inputs, args.seed, args.seconds)
    total = sum(outcome.read.values()) + sum(outcome.refused.values())
    print(table(outcome))
    print(
        f"{total} inputs in {time.monotonic() - start:.0f} s, {len(outcome.faults)} faults;"
        f" memory {base:.0f} MB before, {megabytes():.0f} MB at most"
    )
    for number, (name, fault, content) in enumerate(outcome.faults):
        if number < 20:
            print(f"--- {name}\n{fault}")
        args.keep.mkdir(exist_ok=True)
        (args.keep / f"{number:04d}_{name.replace(' ', '_').replace('.', '')}").write_bytes(content)
    return bool(outcome.faults) or megabytes() > MOST_MEGABYTES


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
