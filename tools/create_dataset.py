"""Convert data sets from their own formats to one COCO-with-text file; see --help."""

import sys

from text_spotting.cli.main import run_tool

if __name__ == "__main__":
    sys.exit(run_tool("create_dataset"))
