"""Measure speed: of training, of drawing synthetic data, of an exported model."""

import argparse
import importlib

PARTS = {
    "train": "training: images per second and where the time goes",
    "synth": "synthetic images and words per second",
    "infer": "an exported model: stages, layers, arithmetic reached, memory",
    "throughput": "exported models: images per second by streams and by the images' size",
}
"""What can be measured; each is a module ``benchmark_<name>`` beside this one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare one subcommand for each part."""
    subcommands = parser.add_subparsers(dest="part", required=True)
    for name, summary in PARTS.items():
        module = importlib.import_module(f"text_spotting.cli.benchmark_{name}")
        module.add_arguments(subcommands.add_parser(name, help=summary, description=module.__doc__))


def run(args: argparse.Namespace) -> None:
    """Run the part that was chosen."""
    importlib.import_module(f"text_spotting.cli.benchmark_{args.part}").run(args)
