"""Pack data sets for training on one fast card; see --help."""

import sys

from text_spotting.cli.main import run_tool

if __name__ == "__main__":
    sys.exit(run_tool("pack_shards"))
