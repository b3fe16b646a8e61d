"""Make a work dir from a model template: its configuration, the tools and the initial snapshot.

A template is a program: reading its model.py runs it. Instantiate only templates whose makers you trust.
"""

import argparse
import logging
import shlex
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("template", help="path to a template.yaml, or a name such as text-spotting-0003-lite")
    parser.add_argument("output", type=Path, help="work dir to create or to complete")
    parser.add_argument(
        "--do-not-load-snapshot", action="store_true", help="leave the initial weights out, for example without network"
    )
    parser.add_argument("--force", action="store_true", help="also replace files of the work dir that were edited")
    parser.add_argument("-v", "--verbose", action="store_true", help="say where every file comes from")


def run(args: argparse.Namespace) -> None:
    """Instantiate and say what was written."""
    from text_spotting.workdir.catalogue import find_template
    from text_spotting.workdir.instantiate import instantiate

    logging.basicConfig(format="%(message)s")
    logging.getLogger("text_spotting").setLevel(logging.DEBUG if args.verbose else logging.INFO)
    output = args.output.resolve()
    print(f"work dir {output}")
    for name, outcome in instantiate(
        find_template(args.template), output, load_snapshot=not args.do_not_load_snapshot, force=args.force
    ):
        print(f"  {name:<16} {outcome}")
    if args.do_not_load_snapshot:
        print("  without initial weights: train from scratch, or give --load-weights a file of your own")
    print(f"done; its tools run from anywhere, for example: python {shlex.quote(str(output / 'train.py'))} --help")
