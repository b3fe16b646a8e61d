"""Find and read words in images or video with an exported model; see --help."""

import sys

from text_spotting.cli.main import run_tool

if __name__ == "__main__":
    sys.exit(run_tool("read_many"))
