"""Train a stage of a recipe in configs/recipes."""

import sys

from text_spotting.cli.main import run_tool

if __name__ == "__main__":
    sys.exit(run_tool("run_recipe"))
