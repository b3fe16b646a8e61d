"""Train a detector or reader on one fast card in a given time; started again, it goes on where it stopped."""

import argparse
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from text_spotting.alphabet import Alphabet
from text_spotting.errors import UserError

if TYPE_CHECKING:
    from torch import nn

PARTS = ("detector", "reader", "first-reader", "snapshot")
NEEDS = {
    "detector": ("load_weights", "state", "shards"),
    "reader": ("load_weights", "state", "shards"),
    "first-reader": (),
    "snapshot": ("state",),
}
"""Flags that a part does not work without."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument(
        "part",
        choices=PARTS,
        help="what to train; or first-reader: write a reader with PP-OCRv6's weights (needs rapidocr); "
        "or snapshot: write what a run that is under way has come to",
    )
    parser.add_argument("--config", type=Path, required=True, help="model.py of the template")
    parser.add_argument("--output", type=Path, required=True, help="snapshot to write: the moving average, float16")
    parser.add_argument("--load-weights", type=Path, help="snapshot to begin with")
    parser.add_argument(
        "--partial-weights", action="store_true", help="let --load-weights lack parts, which then begin at random"
    )
    parser.add_argument("--state", type=Path, help="file that keeps the run; where it exists, the run goes on")
    parser.add_argument("--shards", type=Path, help="folder in which data of pack_shards.py lies or still arrives")
    parser.add_argument("--renderers", type=int, default=4, help="processes that render more (default: 4)")
    parser.add_argument("--rendered", type=Path, help="folder through which that goes (default: in memory)")
    parser.add_argument("--backgrounds", type=Path, help="folder of photos without text to render on")
    parser.add_argument("--fonts", type=Path, help="folder of fonts to render with; those installed by default")
    parser.add_argument(
        "--seconds", type=float, default=1200, help="how long to train (default: 1200); STATE.seconds overrules it"
    )
    parser.add_argument("--batch", type=int, help="images, or words of one width, that go through together")
    parser.add_argument("--rate", type=float, help="highest learning rate")
    parser.add_argument(
        "--frozen",
        type=int,
        metavar="N",
        help="first stages of the reader's trunk that stay as they are: with 2 a step on a CPU takes about half the "
        "time (default: 0)",
    )
    parser.add_argument(
        "--momentum",
        type=float,
        help="share by which the moving average takes over new weights at each step (default: 0.001, for thousands of "
        "steps; 0.01 suits some hundreds)",
    )
    parser.add_argument("--seed", type=int, help="of all random choices (default: 0)")
    parser.add_argument(
        "--held",
        type=int,
        help="rendered scenes, or words, held in the card's memory (default: 3000 scenes are 6 GB, 250000 words 23 GB)",
    )


def run(args: argparse.Namespace) -> None:
    """Check what was asked for, do it, and write the snapshot."""
    import logging

    _check(args)

    import text_spotting.gpu  # noqa: F401  (before mmdet)
    from text_spotting.engine.checkpoints import half_precision, write_snapshot
    from text_spotting.workdir.config import load_config

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    config = load_config(args.config)
    weights, steps = _made(args, config)
    kept = {name: value.cpu() for name, value in half_precision(weights).items()}
    meta = {"iter": steps, "alphabet": Alphabet.of(config.alphabet).to_dict()}
    write_snapshot({"state_dict": kept, "meta": meta}, args.output)
    print(f"{args.output}: {len(kept)} tensors after {steps} steps")


def _check(args: argparse.Namespace) -> None:
    if missing := [flag for flag in NEEDS[args.part] if getattr(args, flag) is None]:
        raise UserError(f"{args.part} needs --{missing[0].replace('_', '-')}")
    for flag in ("shards", "backgrounds", "fonts", "rendered"):
        folder = getattr(args, flag)
        if folder is not None and not folder.is_dir():
            raise UserError(f"--{flag}: {folder} is not a folder")
    for flag in ("seconds", "batch", "rate", "held"):
        if getattr(args, flag) is not None and not getattr(args, flag) > 0:
            raise UserError(f"--{flag} must be above 0")
    if args.momentum is not None and not 0 < args.momentum <= 1:
        raise UserError(f"--momentum {args.momentum}: must be above 0, and at most 1")
    if args.frozen is not None and args.part != "reader":
        raise UserError("--frozen belongs to reader")
    if args.partial_weights and args.part not in ("detector", "reader"):
        raise UserError("--partial-weights belongs to detector and reader")
    if args.load_weights is not None and not args.load_weights.is_file():
        raise UserError(f"--load-weights: {args.load_weights} does not exist")
    if args.part == "snapshot" and not args.state.is_file():
        raise UserError(f"--state: {args.state} does not exist; a run writes it every minute and a half")
    if not args.output.parent.is_dir():
        raise UserError(f"--output: the folder {args.output.parent} does not exist")


def _made(args: argparse.Namespace, config: Any) -> tuple[dict[str, Any], int]:
    """Weights of the asked part and the steps that they have learned for."""
    from text_spotting.gpu.course import read_state
    from text_spotting.gpu.reader import first_reader

    if args.part == "first-reader":
        return first_reader(config, args.load_weights).state_dict(), 0
    trained = None if args.part == "snapshot" else _train(args, config)
    kept = read_state(args.state)
    return kept["average"] if trained is None else trained.state_dict(), kept["steps"]


def _train(args: argparse.Namespace, config: Any) -> "nn.Module":
    import torch

    from text_spotting.gpu import detector, reader

    for ended in (signal.SIGINT, signal.SIGTERM):  # also where a shell runs it in the background
        signal.signal(ended, _interrupt)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    is_detector = args.part == "detector"
    names = {"batch": "batch" if is_detector else "chunk", "held": "kept" if is_detector else "capacity"}
    flags = ("batch", "rate", "held", "seed", "frozen", "momentum", "partial_weights")
    given = {names.get(flag, flag): getattr(args, flag) for flag in flags}
    given = {name: value for name, value in given.items() if value is not None}
    with _renderers(args, Alphabet.of(config.alphabet)) as blocks:
        places = config, args.load_weights, args.shards, blocks, args.state
        if is_detector:
            return detector.train_detector(*places, detector.Plan(args.seconds, **given), device)
        return reader.train_reader(*places, reader.Plan(args.seconds, **given), device)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def _renderers(args: argparse.Namespace, alphabet: Alphabet) -> Iterator[Path]:
    """Renderers at work, and the folder of this run alone that they fill; both are gone afterwards."""
    from text_spotting.gpu.feed import Rendering, render_forever

    memory = Path("/dev/shm")
    parent = args.rendered or (memory if memory.is_dir() else None)
    kind = "scenes" if args.part == "detector" else "words"
    with tempfile.TemporaryDirectory(dir=parent, prefix="rendered-", ignore_cleanup_errors=True) as folder:
        what = Rendering(kind, args.backgrounds, args.fonts, alphabet=alphabet)
        workers = render_forever(what, Path(folder), args.renderers, seed=1 + (args.seed or 0))
        try:
            yield Path(folder)
        finally:
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.join()
