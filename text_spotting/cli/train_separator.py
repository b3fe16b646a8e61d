"""Teach a snapshot's reader where words meet, from any images with outlined words; minutes on a CPU."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.cli.path_flags import add_paths
from text_spotting.cli.progress import track
from text_spotting.errors import UserError

if TYPE_CHECKING:
    from torch import nn

    from text_spotting.annotations.problems import Problems
    from text_spotting.annotations.records import AnnotatedImage
    from text_spotting.engine.separator import Seen
    from text_spotting.frames import FrameJitter
    from text_spotting.manifest import Manifest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--config", type=Path, required=True, help="model.py of the template that the snapshot is for")
    parser.add_argument("--load-weights", type=Path, required=True, help="snapshot (.pth) whose reader learns it")
    parser.add_argument("--output", type=Path, required=True, help="snapshot to write: the same with what was learnt")
    files = "comma-separated COCO-with-text files; outlines are enough, held-back tenths tell how well it went"
    add_paths(parser, "--train-ann-files", files, required=True)
    roots = "comma-separated image folders, one for each file (default: the files' own folders)"
    add_paths(parser, "--train-data-roots", roots)
    parser.add_argument("--passes", type=float, default=6, help="how often each word is shown (default: 6)")
    parser.add_argument("--seed", type=int, default=0, help="of all random choices (default: 0)")


def run(args: argparse.Namespace) -> None:
    """Read, look, learn, write, and say how well that works on images held back."""
    from text_spotting.annotations.held_back import split_held_back
    from text_spotting.annotations.problems import Problems
    from text_spotting.engine.checkpoints import load_weights, read_snapshot, write_snapshot
    from text_spotting.engine.separator import separator_of, train, try_out
    from text_spotting.engine.torch_spotter import build_network, manifest_of
    from text_spotting.files.writing import require_writable
    from text_spotting.frames import FrameJitter
    from text_spotting.workdir.config import frame_jitter_of, load_config

    if not 0 < args.passes <= _MOST_PASSES:
        raise UserError(f"--passes must be above 0, and at most {_MOST_PASSES}")
    if args.seed < 0:
        raise UserError("--seed must be 0 or more")
    require_writable(args.output, "--output")
    config = load_config(args.config)
    network = build_network(config).eval()
    separator = separator_of(network)
    checkpoint = read_snapshot(args.load_weights)
    load_weights(network, checkpoint, args.load_weights)
    manifest = manifest_of(config)
    problems = Problems()
    sets = [split_held_back(images) for images in _sets(args, problems)]
    shown = Shown(network, manifest, FrameJitter.of(frame_jitter_of(config)), args.seed, problems)
    learnt = shown.look([image for images, _ in sets for image in images], "looking")
    if not any(seen.gaps for seen in learnt):
        raise UserError("--train-ann-files: no two words follow one another on a line; there is nothing to learn from")
    held_back = shown.look([image for _, images in sets for image in images], "held back")
    steps = train(separator, learnt, args.passes, args.seed)
    for _ in track(steps, None, "learning", "step"):
        pass
    before = checkpoint["state_dict"]
    kind = next(tensor.dtype for name, tensor in before.items() if name.endswith(".ctc.linear.weight"))
    weights = {name: tensor for name, tensor in network.state_dict().items() if ".ctc.separator." in name}
    write_snapshot(
        {
            "meta": checkpoint.get("meta", {}),
            "state_dict": {**before, **{name: tensor.to(kind) for name, tensor in weights.items()}},
        },
        args.output,
    )
    print(f"{args.output}: learnt from {len(learnt)} words and rows of words")
    if held_back:
        print(f"held back: {try_out(separator, held_back)}")
    if len(problems):
        print(f"\n{problems.summary()}")
    problems.raise_unreadable()


_MOST_PASSES = 1000


def _sets(args: argparse.Namespace, problems: "Problems") -> "list[list[AnnotatedImage]]":
    from text_spotting.annotations.dataset_file import check_images_exist, read_dataset, split_paths

    files = split_paths(args.train_ann_files)
    roots = split_paths(args.train_data_roots) if args.train_data_roots else [str(Path(file).parent) for file in files]
    if len(roots) != len(files):
        raise UserError(f"--train-data-roots names {len(roots)} folders for {len(files)} files; give one for each file")
    found = []
    for file, root in zip(files, roots, strict=True):
        # A set is held back by the places of all its images, so those that cannot be used are left out later.
        images = read_dataset(file, root, problems)
        check_images_exist(images, file, root)
        found.append(images)
    return found


@dataclass(frozen=True, slots=True)
class Shown:
    """Images as a network sees them; what is odd about them goes to ``problems``."""

    network: "nn.Module"
    manifest: "Manifest"
    jitter: "FrameJitter"
    seed: int
    problems: "Problems"

    def look(self, images: "Sequence[AnnotatedImage]", task: str) -> "list[Seen]":
        """What it makes of their words."""
        from text_spotting.engine.separator import examples, look_at

        shown = track(examples(images, self.manifest, self.jitter, self.seed, self.problems), len(images), task)
        return [seen for some in look_at(self.network, shown, self.manifest) for seen in some]
