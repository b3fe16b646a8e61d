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


TRACKERS = ("mlflow", "wandb", "clearml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line; defaults come from the work directory's template."""
    _add_data(parser)
    parser.add_argument("--resume-from", metavar="PTH", help="go on where this snapshot's training stopped")
    parser.add_argument("--load-weights", metavar="PTH", help="start a new training from these weights")
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
    parser.add_argument("--seed", type=int, default=0, help="fixes every random choice (default: 0)")
    parser.add_argument("--val-interval", type=int, default=1, help="epochs between validations (default: 1)")
    parser.add_argument("--workers", type=int, default=2, help="processes that load pictures (default: 2)")
    _add_comfort(parser)
    parser.add_argument("--config", type=Path, help=argparse.SUPPRESS)


def _add_comfort(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--early-stop", type=int, default=0, metavar="N", help="end after N validations without better word spotting"
    )
    parser.add_argument("--tracker", choices=TRACKERS, help="show the run there, too; needs the package of that name")
    parser.add_argument(
        "--lr-find", action="store_true", help="train nothing: try learning rates for 100 steps and propose one"
    )


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
    basic = work_dir.template.hyper_parameters.basic
    args.epochs = basic.epochs if args.epochs is None else args.epochs
    args.batch_size = basic.batch_size if args.batch_size is None else args.batch_size
    args.base_learning_rate = basic.base_learning_rate if args.base_learning_rate is None else args.base_learning_rate
    args.gpu_num = work_dir.template.gpu_num if args.gpu_num is None else args.gpu_num
    _check(args)

    from mmengine.config import Config

    from text_spotting.engine.train import build_runner, train

    training = _read("train", args.train_ann_files, args.train_data_roots)
    validation = _read("val", args.val_ann_files, args.val_data_roots)
    launcher = _choose_devices(args.gpu_num)
    config = Config.fromfile(args.config or work_dir.config_file)
    _configure(config, args, len(training))
    _tell_lesson(training)
    _add_hooks(config, args)
    if args.lr_find:
        _find_rate(config, args, _start(args), launcher)
        return
    runner = build_runner(config, args.save_checkpoints_to, _start(args), validation, launcher)
    if not train(runner):
        raise KeyboardInterrupt
    print(f"trained {runner.epoch} epochs; newest snapshot: {args.save_checkpoints_to / 'latest.pth'}")


def _check(args: argparse.Namespace) -> None:
    for flag, value, least in (
        ("--epochs", args.epochs, 1),
        ("--batch-size", args.batch_size, 1),
        ("--gpu-num", args.gpu_num, 0),
        ("--val-interval", args.val_interval, 1),
        ("--workers", args.workers, 0),
    ):
        if value < least:
            raise UserError(f"{flag} {value}: must be {least} or more")
    if args.base_learning_rate <= 0:
        raise UserError(f"--base-learning-rate {args.base_learning_rate}: must be above 0")
    if args.resume_from and args.load_weights:
        raise UserError("--resume-from and --load-weights are two beginnings; give one")
    if args.early_stop < 0:
        raise UserError(f"--early-stop {args.early_stop}: must be 0 (never) or more")
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

    if args.batch_size > pictures:
        print(f"warning: --batch-size {args.batch_size} is more than the {pictures} pictures; using {pictures}")
    loader = config.train_dataloader
    loader.batch_size = min(args.batch_size, pictures)
    loader.num_workers = args.workers
    loader.persistent_workers = args.workers > 0
    loader.sampler.seed = loader.dataset.seed = config.seed = args.seed
    loader.dataset.sources = [
        {"type": "PhotoSource", "ann_files": args.train_ann_files, "data_roots": args.train_data_roots}
    ]
    config.train_cfg.max_epochs = args.epochs
    config.train_cfg.val_interval = args.val_interval
    config.optim_wrapper.optimizer.lr = args.base_learning_rate
    for scheduler in config.param_scheduler:
        if scheduler.type == "CosineAnnealingLR":
            scheduler.T_max = args.epochs
    for hook in config.custom_hooks:
        if hook.type == "JournalHook":
            hook.tensorboard_dir = args.tensorboard_dir
    if args.amp and not use_mixed_precision(config):
        print("warning: --amp: no GPU and no bfloat16 instructions here; training in float32", file=sys.stderr)


def _tell_lesson(images: "list[AnnotatedImage]") -> None:
    """One line on what the training set teaches, and warnings."""
    from text_spotting.alphabet import MAX_LENGTH, encode
    from text_spotting.annotations.lesson import lesson

    told = lesson(images, encode, MAX_LENGTH)
    print(f"training set: {told}", flush=True)
    for warning in told.warnings():
        print(f"warning: --train-ann-files: {warning}", file=sys.stderr)


def _add_hooks(config: "Config", args: argparse.Namespace) -> None:
    """The console's line, and what --early-stop and --tracker ask for."""
    from text_spotting.engine.trackers import require_tracker

    hooks = [{"type": "ConsoleHook"}, {"type": "BoardHook", "tensorboard_dir": args.tensorboard_dir}]
    if args.early_stop:
        patience = {"monitor": "word_spotting", "rule": "greater", "patience": args.early_stop}
        hooks.append({"type": "EarlyStoppingHook", **patience})
    if args.tracker:
        require_tracker(args.tracker)
        hooks.append({"type": "TrackerHook", "tracker": args.tracker})
    config.custom_hooks = [*config.custom_hooks, *hooks]


def _find_rate(config: "Config", args: argparse.Namespace, start: "Start | None", launcher: str) -> None:
    """Run the learning rate test, and print and draw what it says."""
    from text_spotting.engine import lr_find
    from text_spotting.engine.train import build_runner, train

    lr_find.only_find(config)
    try:
        train(build_runner(config, args.save_checkpoints_to, start, (), launcher))
    except lr_find.Found as found:
        picture = args.save_checkpoints_to / "lr_find.png"
        lr_find.draw(found.tried, picture)
        print(f"{len(found.tried)} steps; proposed: --base-learning-rate {lr_find.proposal(found.tried):g} ({picture})")


def _start(args: argparse.Namespace) -> "Start | None":
    from text_spotting.engine.checkpoints import read_snapshot
    from text_spotting.engine.train import from_state, from_weights

    if args.resume_from:
        return from_state(read_snapshot(args.resume_from, args.trust_snapshot), args.resume_from)
    if args.load_weights:
        return from_weights(read_snapshot(args.load_weights, args.trust_snapshot), args.load_weights)
    return None
