"""Make a small snapshot to ship from the checkpoints of a training; see --help."""

import sys

from text_spotting.cli.main import run_tool

if __name__ == "__main__":
    sys.exit(run_tool("make_snapshot"))
