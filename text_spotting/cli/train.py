"""Train or fine-tune the model of a work directory."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.errors import UserError

if TYPE_CHECKING:
    from mmengine.config import Config

    from text_spotting.annotations.records import AnnotatedImage
    from text_spotting.engine.train import Start


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line; what is not given is as model.py says, or template.yaml, or docs/configuration.md."""
    _add_data(parser)
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--resume-from", metavar="PTH", help="go on where this snapshot's training stopped")
    start.add_argument("--load-weights", metavar="PTH", help="start a new training from these weights")
    parser.add_argument("--trust-snapshot", action="store_true", help="load a snapshot that holds more than weights")
    parser.add_argument("--save-checkpoints-to", type=Path, default=Path("outputs"), help="default: outputs")
    parser.add_argument("--tensorboard-dir", help="default: tf_logs beside the checkpoints")
    parser.add_argument("--epochs", type=int, help="epochs in all, those of --resume-from included")
    parser.add_argument("--batch-size", type=int, help="pictures in a batch, per GPU")
    parser.add_argument("--base-learning-rate", type=float, help="learning rate before its schedule")
    parser.add_argument(
        "--gpu-num", type=int, help="GPUs to use; 0 for the CPU, which is also used where there is none"
    )
    parser.add_argument("--amp", action="store_true", help="mixed precision: float16 on GPUs, bfloat16 on CPUs")
    parser.add_argument("--seed", type=int, help="fixes every random choice")
    parser.add_argument("--val-interval", type=int, help="epochs between validations")
    parser.add_argument("--workers", type=int, help="processes that load pictures")
    parser.add_argument("--config", type=Path, help=argparse.SUPPRESS)


def _add_data(parser: argparse.ArgumentParser) -> None:
    files = "comma-separated COCO-with-text files or patterns"
    roots = "comma-separated picture folders, one for each file"
    parser.add_argument("--train-ann-files", required=True, help=files)
    parser.add_argument("--train-data-roots", required=True, help=roots)
    parser.add_argument("--val-ann-files", required=True, help=files)
    parser.add_argument("--val-data-roots", required=True, help=roots)


def run(args: argparse.Namespace) -> None:
    """Check the input, configure a run, and train."""
    from text_spotting.workdir.paths import require_work_dir

    work_dir = require_work_dir()
    _check(args)

    from text_spotting.engine.train import build_runner, train
    from text_spotting.evaluation.files import write_atomically
    from text_spotting.workdir import settings
    from text_spotting.workdir.config import mistakes_in
    from text_spotting.workdir.paths import load_work_config

    config = load_work_config(args.config)
    chosen = settings.resolve(vars(args), config, work_dir.template)

    training = _read("train", args.train_ann_files, args.train_data_roots)
    validation = _read("val", args.val_ann_files, args.val_data_roots)
    launcher = _choose_devices(chosen["gpu_num"].value)
    with mistakes_in("model.py"):
        settings.apply(chosen, config)
        _configure(config, args, len(training))
    print(settings.told(chosen))
    runner = build_runner(config, args.save_checkpoints_to, _start(args), validation, launcher)
    if runner.rank == 0:
        settings.save(chosen, config, args.save_checkpoints_to, write_atomically)
    if not train(runner):
        raise KeyboardInterrupt
    print(f"trained {runner.epoch} epochs; newest snapshot: {args.save_checkpoints_to / 'latest.pth'}")


def _check(args: argparse.Namespace) -> None:
    for flag, path in (("--resume-from", args.resume_from), ("--load-weights", args.load_weights)):
        if path and not Path(path).is_file():
            raise UserError(f"{flag}: {path} does not exist")


def _read(which: str, ann_files: str, data_roots: str) -> "list[AnnotatedImage]":
    from text_spotting.annotations.dataset_file import read_datasets

    try:
        return read_datasets(ann_files, data_roots)
    except UserError as error:
        raise UserError(f"--{which}-ann-files: {error}") from error


def _choose_devices(gpu_num: int) -> str:
    """Return the launcher's name; with several GPUs this process turns into their launcher and never returns."""
    if gpu_num == 0:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    if "WORLD_SIZE" in os.environ:
        return "pytorch"
    import torch

    at_hand = torch.cuda.device_count()
    if at_hand < gpu_num:
        print(f"warning: --gpu-num {gpu_num}, but {at_hand} GPUs are at hand; training on {at_hand or 'the CPU'}")
    if min(gpu_num, at_hand) > 1:
        launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={min(gpu_num, at_hand)}"]
        os.execv(sys.executable, [sys.executable, *launch, *sys.argv])
    return "none"


def _configure(config: "Config", args: argparse.Namespace, pictures: int) -> None:
    from text_spotting.engine.train import use_mixed_precision

    loader = config.train_dataloader
    if loader.batch_size > pictures:
        print(f"warning: a batch of {loader.batch_size} is more than the {pictures} pictures; using {pictures}")
    loader.batch_size = min(loader.batch_size, pictures)
    loader.dataset.sources = [
        {"type": "PhotoSource", "ann_files": args.train_ann_files, "data_roots": args.train_data_roots}
    ]
    for hook in config.custom_hooks:
        if hook.type == "JournalHook":
            hook.tensorboard_dir = args.tensorboard_dir
    if args.amp:
        use_mixed_precision(config)


def _start(args: argparse.Namespace) -> "Start | None":
    from text_spotting.engine.checkpoints import read_snapshot
    from text_spotting.engine.train import from_state, from_weights

    if args.resume_from:
        return from_state(read_snapshot(args.resume_from, args.trust_snapshot), args.resume_from)
    if args.load_weights:
        return from_weights(read_snapshot(args.load_weights, args.trust_snapshot), args.load_weights)
    return None
