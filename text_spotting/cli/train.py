"""Train or fine-tune the model of a work directory."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from text_spotting.cli.path_flags import add_paths
from text_spotting.errors import UserError, require_package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmengine.config import Config

    from text_spotting.alphabet import Alphabet
    from text_spotting.annotations.records import AnnotatedImage
    from text_spotting.engine.train import Start
    from text_spotting.workdir.settings import Settings
    from text_spotting.workdir.template import Template


TRACKERS = ("mlflow", "wandb", "clearml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line; what is not given is as model.py says, or template.yaml, or docs/configuration.md."""
    _add_data(parser)
    parser.add_argument("--resume-from", metavar="PTH", help="go on where this snapshot's training stopped")
    parser.add_argument("--load-weights", metavar="PTH", help="start a new training from these weights")
    parser.add_argument(
        "--partial-weights", action="store_true", help="let --load-weights lack parts, which then begin anew"
    )
    parser.add_argument("--trust-snapshot", action="store_true", help="load a snapshot that holds more than weights")
    parser.add_argument("--save-checkpoints-to", type=Path, default=Path("outputs"), help="default: outputs")
    parser.add_argument("--tensorboard-dir", help="default: tf_logs beside the checkpoints")
    parser.add_argument("--epochs", type=int, help="epochs in all, those of --resume-from included")
    parser.add_argument("--batch-size", type=int, help="images in a batch, per GPU")
    parser.add_argument("--base-learning-rate", type=float, help="learning rate before its schedule")
    parser.add_argument(
        "--gpu-num", type=int, help="GPUs to use; 0 for the CPU, which is also used where there is none"
    )
    parser.add_argument(
        "--scale-lr", action="store_true", help="multiply the learning rate by how much larger all batches together are"
    )
    parser.add_argument(
        "--skip-bad-batches", type=int, metavar="N", help="pass over up to N batches that are not finite"
    )
    parser.add_argument("--amp", action="store_true", help="mixed precision: float16 on GPUs, bfloat16 on CPUs")
    parser.add_argument("--seed", type=int, help="fixes every random choice")
    parser.add_argument("--val-interval", type=int, help="epochs between validations")
    parser.add_argument("--workers", type=int, help="processes that load images")
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
    roots = "comma-separated image folders, one for each file"
    add_paths(parser, "--train-ann-files", files, required=True)
    add_paths(parser, "--train-data-roots", roots, required=True)
    add_paths(parser, "--val-ann-files", files, required=True)
    add_paths(parser, "--val-data-roots", roots, required=True)
    parser.add_argument("--strict", action="store_true", help="end at the first oddity of the annotations")


def run(args: argparse.Namespace) -> None:
    """Check the input, configure a run, and train."""
    from text_spotting.workdir.paths import require_work_dir

    work_dir = require_work_dir()
    _check(args)

    from text_spotting.alphabet import Alphabet
    from text_spotting.engine.train import build_runner, output_folder, train
    from text_spotting.files.writing import write_whole
    from text_spotting.workdir import settings
    from text_spotting.workdir.config import mistakes_in
    from text_spotting.workdir.paths import load_work_config

    config = load_work_config(args.config)
    chosen = settings.resolve(vars(args), config, work_dir.template)
    training, validation = _read(args, "train"), _read(args, "val")
    _report_training_set(training, Alphabet.of(config.alphabet))
    launcher = _choose_devices(chosen)
    if args.scale_lr:
        chosen = _with_scaled_rate(chosen, work_dir.template)
    with mistakes_in("model.py"):
        settings.apply(chosen, config)
        _configure(config, args, len(training))
    _add_hooks(config, args)
    start = _start(args)
    with output_folder(args.save_checkpoints_to):
        if args.lr_find:
            _find_rate(config, args, start, launcher)
            return
        runner = build_runner(config, args.save_checkpoints_to, start, validation, launcher)
        if runner.rank == 0:
            print(settings.summary(chosen))
            settings.save(chosen, config, args.save_checkpoints_to, write_whole)
        if not train(runner):
            raise KeyboardInterrupt
    if runner.rank == 0:
        print(f"trained {runner.epoch} epochs; newest snapshot: {args.save_checkpoints_to / 'latest.pth'}")


def _check(args: argparse.Namespace) -> None:
    if args.partial_weights and not args.load_weights:
        raise UserError("--partial-weights belongs to --load-weights; give both")
    if args.resume_from and args.load_weights:
        raise UserError("--resume-from and --load-weights are two beginnings; give one")
    if args.early_stop < 0:
        raise UserError(f"--early-stop {args.early_stop}: must be 0 (never) or more")
    for flag, path in (("--resume-from", args.resume_from), ("--load-weights", args.load_weights)):
        if path and not Path(path).is_file():
            raise UserError(f"{flag}: {path} does not exist")
    if args.tracker:
        require_package(args.tracker, f"--tracker {args.tracker}")


def _read(args: argparse.Namespace, which: str) -> "Sequence[AnnotatedImage]":
    """Read the training or validation set, and say what is odd; training gets it packed, as its data set will."""
    from text_spotting.annotations.dataset_file import read_datasets
    from text_spotting.annotations.packed import read_packed
    from text_spotting.annotations.problems import Problems

    problems = Problems(strict=args.strict)
    ann_files, data_roots = getattr(args, f"{which}_ann_files"), getattr(args, f"{which}_data_roots")
    try:
        if which == "train" and not args.strict:
            return read_packed(ann_files, data_roots)
        images = read_datasets(ann_files, data_roots, problems)
    except UserError as error:
        raise UserError(f"--{which}-ann-files: {error}") from error
    if which == "val" and len(problems):
        print(problems.summary(), file=sys.stderr)
    return images


def _choose_devices(chosen: "Settings") -> str:
    """Return the launcher's name; with several GPUs this process turns into their launcher and never returns."""
    from text_spotting.workdir.settings import told

    gpu_num = chosen["gpu_num"].value
    if gpu_num == 0:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    if "WORLD_SIZE" in os.environ:
        return "pytorch"
    import torch

    at_hand = torch.cuda.device_count()
    if at_hand < gpu_num:
        wanted = told("gpu_num", chosen)
        print(f"warning: {wanted}, but {at_hand} GPUs are at hand; training on {at_hand or 'the CPU'}")
    if min(gpu_num, at_hand) > 1:
        launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={min(gpu_num, at_hand)}"]
        os.execv(sys.executable, [sys.executable, *launch, *sys.argv])
    return "none"


def _with_scaled_rate(chosen: "Settings", template: "Template") -> "Settings":
    """All processes' batches together against the template's (linear scaling, Goyal et al. 2017, arXiv 1706.02677)."""
    from dataclasses import replace

    usual = template.hyper_parameters.basic.batch_size * max(1, template.gpu_num)
    rate = chosen["base_learning_rate"]
    factor = float(chosen["batch_size"].value * int(os.environ.get("WORLD_SIZE", "1")) / usual)
    print(f"--scale-lr: the learning rate is {factor:g} x {rate.value:g}")
    return {**chosen, "base_learning_rate": replace(rate, value=rate.value * factor)}


def _configure(config: "Config", args: argparse.Namespace, images: int) -> None:
    from text_spotting.engine.train import use_mixed_precision

    loader = config.train_dataloader
    photos = {"type": "PhotoSource", "ann_files": args.train_ann_files, "data_roots": args.train_data_roots}
    own = [source for source in loader.dataset.get("sources", ()) if source != photos]
    loader.dataset.sources = [photos, *own]
    if loader.batch_size > images and not own:
        print(f"warning: a batch of {loader.batch_size} is more than the {images} images; using {images}")
        loader.batch_size = images
    if args.tensorboard_dir:
        for journal in _journals(config):
            journal.tensorboard_dir = args.tensorboard_dir
    if args.amp and not use_mixed_precision(config):
        print("warning: --amp: no GPU and no bfloat16 instructions here; training in float32", file=sys.stderr)


def _journals(config: "Config") -> list[Any]:
    return [hook for hook in config.custom_hooks if hook.type == "JournalHook"]


def _report_training_set(images: "Sequence[AnnotatedImage]", alphabet: "Alphabet") -> None:
    """One line on what the training set teaches, and warnings."""
    from text_spotting.annotations.training_set import summarise_training_set

    summary = summarise_training_set(images, alphabet.encode, alphabet.max_length)
    print(f"training set: {summary}", flush=True)
    for warning in summary.warnings():
        print(f"warning: --train-ann-files: {warning}", file=sys.stderr)


def _add_hooks(config: "Config", args: argparse.Namespace) -> None:
    """The console's line, and what --early-stop and --tracker ask for."""
    folders = [args.tensorboard_dir, *(journal.get("tensorboard_dir") for journal in _journals(config))]
    board = {"type": "BoardHook", "tensorboard_dir": next(filter(None, folders), None)}
    hooks = [{"type": "ConsoleHook"}, board]
    if args.early_stop:
        patience = {"monitor": "word_spotting", "rule": "greater", "patience": args.early_stop}
        hooks.append({"type": "EarlyStoppingHook", **patience})
    if args.tracker:
        hooks.append({"type": "TrackerHook", "tracker": args.tracker})
    config.custom_hooks = [*config.custom_hooks, *hooks]


def _find_rate(config: "Config", args: argparse.Namespace, start: "Start | None", launcher: str) -> None:
    """Run the learning rate test, and print and draw what it says."""
    from text_spotting.engine import lr_find
    from text_spotting.engine.train import build_runner, train

    lr_find.configure_range_test(config)
    try:
        train(build_runner(config, args.save_checkpoints_to, start, (), launcher))
    except lr_find.RangeTestDone as found:
        chart = args.save_checkpoints_to / "lr_find.png"
        lr_find.draw(found.tried, chart)
        print(f"{len(found.tried)} steps; proposed: --base-learning-rate {lr_find.proposal(found.tried):g} ({chart})")


def _start(args: argparse.Namespace) -> "Start | None":
    from text_spotting.engine.checkpoints import read_snapshot
    from text_spotting.engine.train import from_some_weights, from_state, from_weights

    if args.resume_from:
        return from_state(read_snapshot(args.resume_from, args.trust_snapshot), args.resume_from)
    if args.load_weights:
        begin = from_some_weights if args.partial_weights else from_weights
        return begin(read_snapshot(args.load_weights, args.trust_snapshot), args.load_weights)
    return None
