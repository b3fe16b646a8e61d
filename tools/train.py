"""Train or fine-tune the model of a work directory."""

import sys

from text_spotting.cli.main import run_tool

if __name__ == "__main__":
    sys.exit(run_tool("train"))
