"""Training speed of a template on rendered images: images a second, where the time goes, against a stock setting."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.cli.sizes import size

if TYPE_CHECKING:
    from mmengine.config import Config

    from text_spotting.engine.speed import Speed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("--config", type=Path, required=True, help="model.py of a template or work directory")
    parser.add_argument("--batch-size", type=int, default=4, help="images in a batch (default: 4)")
    parser.add_argument("--size", type=size, default=(640, 448), metavar="WxH", help="default: 640x448")
    parser.add_argument("--iterations", type=int, default=5, help="iterations to time (default: 5)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; all by default")
    parser.add_argument("--stock", action="store_true", help="time a stock Mask R-CNN setting of the same network, too")


def run(args: argparse.Namespace) -> None:
    """Time, print, and compare."""
    import torch

    from text_spotting.engine.optim import bfloat16_is_fast
    from text_spotting.engine.speed import stock_setting
    from text_spotting.workdir.config import load_config

    if args.threads:
        torch.set_num_threads(args.threads)
    config = load_config(args.config)
    mixed = bfloat16_is_fast()
    ours = _measure("template, --amp" if mixed else "template, float32", config, args, mixed)
    if args.stock:
        stock = _measure("stock", stock_setting(config), args, mixed=False)
        print(f"the template's setting trains {stock.seconds / ours.seconds:.2f} times as many images a second")


def _measure(name: str, config: "Config", args: argparse.Namespace, mixed: bool) -> "Speed":
    from text_spotting.engine.speed import time_training

    speed = time_training(config, args.batch_size, args.size, args.iterations, mixed)
    print(f"{name}: {args.batch_size / speed.seconds:.2f} images/s, {speed.seconds:.2f} s a batch")
    for part, seconds in speed.parts.items():
        print(f"  {part:<24}{seconds:8.3f} s {100 * seconds / speed.seconds:5.1f} %")
    return speed
