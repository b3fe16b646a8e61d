"""Tools answer --help at once, and the commands that the documents show are ones that the tools take."""

import argparse
import importlib
import re
import resource
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from text_spotting.cli.main import _message
from text_spotting.errors import UserError

ROOT = Path(__file__).parents[1]
TOOLS = sorted((ROOT / "tools").glob("*.py"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("model_templates/**/*.md")])
SLOW = ("torch", "mmengine", "mmcv", "mmdet", "openvino", "onnx", "nncf", "cv2", "matplotlib")

SHOW_HELP = f"""\
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    print("LOADED", [name for name in {SLOW} if name in sys.modules])
"""


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.stem)
def test_help_is_instant_and_loads_nothing_heavy(tool: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", SHOW_HELP, str(tool), "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "usage: " in shown.stdout
    assert shown.stdout.splitlines()[-1] == "LOADED []"
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert seconds < 1.0, f"{seconds:.2f} s of processor time"


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.stem)
def test_a_flag_that_does_not_exist_ends_with_code_2(tool: Path) -> None:
    ended = subprocess.run([sys.executable, tool, "--no-such-flag"], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def _commands(text: str) -> Iterator[list[str]]:
    """Split every shell command of the fenced blocks into words; variables become 1, which any type takes."""
    for block in re.findall(r"```(?:bash|sh|shell)\n(.*?)```", text, flags=re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            yield shlex.split(re.sub(r"\$\{?\w+\}?", "1", line.replace("`", "")), comments=True)


def _tool_calls(document: Path) -> Iterator[tuple[str, list[str]]]:
    for words in _commands(document.read_text(encoding="utf-8")):
        for position, word in enumerate(words[:2]):
            name = Path(word).stem
            if word.endswith(".py") and (ROOT / "tools" / f"{name}.py").is_file():
                yield name, words[position + 1 :]


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=name)
    importlib.import_module(f"text_spotting.cli.{name}").add_arguments(parser)
    return parser


CALLS = [(document, *call) for document in DOCUMENTS for call in _tool_calls(document)]


@pytest.mark.parametrize(
    ("document", "name", "arguments"), CALLS, ids=[f"{document.name}:{name}" for document, name, _ in CALLS]
)
def test_a_command_shown_in_a_document_is_accepted(document: Path, name: str, arguments: list[str]) -> None:
    try:
        _parser(name).parse_args(arguments)
    except SystemExit:
        pytest.fail(f"{document.name} shows a command that {name}.py refuses: {' '.join(arguments)}")


def test_the_readme_shows_every_step_of_the_main_road() -> None:
    shown = {name for document, name, _ in CALLS if document.name == "README.md"}
    assert shown >= {"instantiate_template", "create_dataset", "train", "eval", "export", "visualize"}


def test_a_library_names_an_option_and_a_tool_its_flag_where_it_has_one() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--word-crops")
    assert _message(UserError("gone: no such list", about="word_crops"), parser) == "--word-crops: gone: no such list"
    assert _message(UserError("gone: no such folder", about="backgrounds"), parser) == "gone: no such folder"
    assert _message(UserError("word_crops 7: no folder", about="word_crops"), parser) == "--word-crops 7: no folder"
    assert _message(UserError("gone"), parser) == "gone"


def test_a_tool_knows_the_flags_of_its_commands() -> None:
    parser = argparse.ArgumentParser()
    parser.add_subparsers().add_parser("infer").add_argument("--plot")
    assert _message(UserError("cannot write there", about="plot"), parser) == "--plot: cannot write there"
