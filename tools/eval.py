"""Score a model, or anyone's predictions, on annotated images; see --help."""

import sys

from text_spotting.cli.main import run_tool

if __name__ == "__main__":
    sys.exit(run_tool("eval"))
