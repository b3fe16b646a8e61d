"""Train a template's detector or reader on one fast card in a given time; see --help."""

import sys

from text_spotting.cli.main import run_tool

if __name__ == "__main__":
    sys.exit(run_tool("train_on_card"))
