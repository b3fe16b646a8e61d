"""Make a work dir of every template that a filter names."""

import sys

from text_spotting.cli.main import run_tool

if __name__ == "__main__":
    sys.exit(run_tool("instantiate"))
