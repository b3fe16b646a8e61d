"""Show the model in the box, or another exported one: what it reads, its size and figures."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("--model", type=Path, help="exported model to tell about (default: the model in the box)")


def run(args: argparse.Namespace) -> None:
    """Print what an exported model says about itself, and its figures where they lie beside it."""
    from text_spotting.runtime.card import describe
    from text_spotting.runtime.files import find_detector

    detector = find_detector(args.model)
    print(describe(detector))
    if detector.suffix == ".xml":
        from text_spotting.runtime.session import arithmetic_here

        print(f"{'here':12}{arithmetic_here(detector)}")
