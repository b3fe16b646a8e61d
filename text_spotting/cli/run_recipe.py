"""Train one stage of a recipe in configs/recipes; started again, it goes on where it stopped."""

import argparse
import os
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", type=Path, help="a file in configs/recipes")
    parser.add_argument("--data-root", required=True, help="folder that the recipe's data sets are in")
    parser.add_argument("--ann-root", default="", help="folder of its annotation files (default: --data-root)")
    parser.add_argument("--save-checkpoints-to", type=Path, required=True, help="folder for snapshots and logs")
    parser.add_argument("--load-weights", default="", help="snapshot to start from, by tensor name")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; all by default")


def run(args: argparse.Namespace) -> None:
    os.environ["DATA_ROOT"] = args.data_root
    os.environ["ANN_ROOT"] = args.ann_root or args.data_root
    if args.threads:
        os.environ["OMP_NUM_THREADS"] = str(args.threads)
    from text_spotting.annotations.dataset_file import read_datasets
    from text_spotting.engine.checkpoints import read_snapshot
    from text_spotting.engine.train import build_runner, from_some_weights, from_state, output_folder, train
    from text_spotting.workdir.config import load_config

    config = load_config(args.recipe)
    latest = args.save_checkpoints_to / "latest.pth"
    start = None
    if latest.exists():
        start = from_state(read_snapshot(latest), str(latest))
    elif args.load_weights:
        start = from_some_weights(read_snapshot(args.load_weights), args.load_weights)
    validation = read_datasets(*config.validation)[: config.validation_images] if "validation" in config else ()
    with output_folder(args.save_checkpoints_to):
        if not train(build_runner(config, args.save_checkpoints_to, start, validation)):
            raise KeyboardInterrupt
