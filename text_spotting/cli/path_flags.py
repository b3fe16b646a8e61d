"""Flags that name several files."""

import argparse
from typing import Any


def add_paths(parser: argparse.ArgumentParser, flag: str, what: str, **settings: Any) -> None:
    """Declare a flag that takes a comma-separated list or, for paths that hold commas, is given once for each."""
    parser.add_argument(flag, action=_Paths, metavar="PATHS", help=f"{what}; may be repeated", **settings)


class _Paths(argparse.Action):
    """Keeps one value as it is, to be split at its commas, and several as a list, to be taken as they are."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        before = getattr(namespace, self.dest)
        given = before if isinstance(before, list) else [] if before is None else [before]
        setattr(namespace, self.dest, [*given, values] if given else values)
