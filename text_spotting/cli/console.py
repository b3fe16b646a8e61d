"""The command ``text-spotting``: every tool by its name."""

import ast
import sys
from collections.abc import Sequence
from pathlib import Path

import text_spotting
from text_spotting.cli.main import BAD_INPUT, run_tool

PROGRAM = "text-spotting"
FIRST = ("read", "models")
"""What newcomers use."""
TOOLS = (
    "instantiate_template",
    "instantiate",
    "create_dataset",
    "generate_synthetic",
    "pseudo_label",
    "train",
    "train_separator",
    "eval",
    "measure",
    "export",
    "compress",
    "visualize",
    "read_many",
    "benchmark",
    "make_snapshot",
    "run_recipe",
    "pack_shards",
    "train_on_card",
)
"""What ``tools/`` holds as scripts, in the order of the work."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool that the first argument names and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if arguments else BAD_INPUT
    if arguments[0] in ("-V", "--version"):
        print(f"{PROGRAM} {text_spotting.__version__}")
        return 0
    name = arguments[0].replace("-", "_")
    if name not in (*FIRST, *TOOLS):
        print(f"error: {PROGRAM} has no command {arguments[0]!r}; {PROGRAM} --help lists them", file=sys.stderr)
        return BAD_INPUT
    return run_tool(name, arguments[1:], f"{PROGRAM} {arguments[0]}")


def usage() -> str:
    """What is shown for ``--help``: every command with its first line."""
    parts = [f"usage: {PROGRAM} COMMAND ...", "", "Find and read words in photos.", ""]
    for title, names in (("reading", FIRST), ("training, measuring and exporting (in or from a work dir)", TOOLS)):
        parts += [f"{title}:", *(f"  {name.replace('_', '-'):22}{_summary(name)}" for name in names), ""]
    return "\n".join([*parts, f"{PROGRAM} COMMAND --help tells a command's flags."])


def _summary(name: str) -> str:
    """First line of a tool's docstring, without loading the tool."""
    source = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
