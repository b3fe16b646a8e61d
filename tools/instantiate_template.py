"""Make a work dir from a model template."""

import sys

from text_spotting.cli.main import run_tool

if __name__ == "__main__":
    sys.exit(run_tool("instantiate_template"))
