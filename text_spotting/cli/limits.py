"""Flags that limit what is read."""

import argparse
from pathlib import Path


def add_limits(parser: argparse.ArgumentParser) -> None:
    """Declare ``--allow`` and ``--lexicon``, which ``runtime.spotter.Spotter`` takes."""
    parser.add_argument("--allow", metavar="CHARACTERS", help="read these characters alone, such as 0123456789")
    parser.add_argument("--lexicon", type=Path, metavar="FILE", help="read these words alone, one a line")
