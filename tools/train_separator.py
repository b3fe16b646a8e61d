"""Teach a snapshot's reader where words meet; see --help."""

import sys

from text_spotting.cli.main import run_tool

if __name__ == "__main__":
    sys.exit(run_tool("train_separator"))
