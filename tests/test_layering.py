"""Who may import whom: the arrows that keep the numpy side free of torch and the parts apart."""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeGuard

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "text_spotting"
MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]

SEAMS = {
    "alphabet",
    "contract",
    "errors",
    "files",
    "fonts",
    "frames",
    "geometry",
    "locks",
    "manifest",
    "image_files",
    "processes",
    "words",
}
"""What every part above may use."""

AMONG_SEAMS: dict[str, set[str]] = {
    "errors": set(),
    "files": {"errors"},
    "locks": set(),
    "words": set(),
    "alphabet": {"errors"},
    "fonts": {"errors"},
    "geometry": {"frames", "words"},
    "frames": {"errors", "words"},
    "manifest": {"alphabet", "errors", "files"},
    "contract": {"manifest", "words"},
    "image_files": {"errors", "files", "words"},
    "processes": {"errors"},
}
ABOVE_SEAMS: dict[str, set[str]] = {
    "constraints": set(),
    "preprocess": set(),
    "decoding": {"constraints"},
    "postprocess": {"decoding"},
    "draw": set(),
    "images": {"preprocess"},
    "result": {"draw", "images"},
    "annotations": set(),
    "synth": {"annotations"},
    "workdir": set(),
    "evaluation": {"draw"},
    "evaluation.broad": {"annotations", "decoding", "draw", "evaluation", "preprocess", "runtime", "synth"},
    "runtime": {"constraints", "decoding", "images", "preprocess", "postprocess", "result"},
    "many": {"runtime"},
    "ops": set(),
    "data": {"annotations", "ops", "synth"},
    "models": {"ops"},
    "engine": {
        "draw",
        "annotations",
        "data",
        "decoding",
        "evaluation",
        "models",
        "ops",
        "preprocess",
        "runtime",
        "workdir",
    },
    "export": {"annotations", "engine", "evaluation", "models", "ops", "preprocess", "runtime"},
    "gpu": {"annotations", "data", "engine", "models", "ops", "runtime", "synth", "workdir"},
}
MAY_IMPORT = {
    **AMONG_SEAMS,
    **{part: to | SEAMS for part, to in ABOVE_SEAMS.items()},
    "cli": {*SEAMS, *ABOVE_SEAMS},
    "__main__": {"cli"},
}
TORCH_SIDE = {"torch", "torchvision", "mmcv", "mmdet", "mmengine"}
WITH_TORCH = {"ops", "data", "models", "engine", "gpu", "export"}
FLAGS_OF_OTHERS = {"fonts.py": {"--format"}}
"""Flags of programs that are called, here ``fc-list``, which tools happen to have as well."""


def _part(path: Path) -> str:
    """The part of the house that a file belongs to: its folder, or its name when it stands alone."""
    dotted = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    parts = [part for part in MAY_IMPORT if f"{dotted}.".startswith(f"{part}.")]
    return max(parts, key=len, default=dotted.split(".")[0])


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _nodes(path: Path) -> tuple[ast.AST, ...]:
    """All nodes of a file; the first is the module."""
    return tuple(ast.walk(ast.parse(_text(path))))


def _imports(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _own_parts(path: Path) -> set[str]:
    parts = set()
    for name in _imports(_nodes(path)):
        head, _, rest = name.partition(".")
        if head == "text_spotting" and rest:
            named = [part for part in MAY_IMPORT if f"{rest}.".startswith(f"{part}.")]
            parts.add(max(named, key=len, default=rest.split(".")[0]))
    return parts


def _is_for_types_only(node: ast.AST) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _at_import_time(path: Path) -> set[str]:
    """Top-level packages that importing the file itself would import; bodies of functions do not count."""
    return {name.split(".")[0] for name in _imports(_run_when_loaded(_nodes(path)[0]))}


def _run_when_loaded(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    for child in node.orelse if _is_for_types_only(node) else ast.iter_child_nodes(node):
        yield from _run_when_loaded(child)


@cache
def _flags_of_tools() -> set[str]:
    """What the tools declare: texts that begin with two dashes in the calls of functions named ``add_...``."""
    return {
        str(argument.value)
        for path in (PACKAGE / "cli").glob("*.py")
        for node in _nodes(path)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2].startswith("add_")
        for argument in node.args
        if isinstance(argument, ast.Constant) and str(argument.value).startswith("--")
    }


def _flags_named_in(path: Path) -> set[str]:
    """Whatever looks like a flag in the file's texts and docstrings."""
    texts = (node.value for node in _nodes(path) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return {flag for text in texts for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)}


def _id(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=_id)
def test_a_module_imports_only_what_its_part_may(path: Path) -> None:
    part = _part(path)
    too_far = _own_parts(path) - MAY_IMPORT[part] - {part}
    assert not too_far, f"{part} must not import {', '.join(sorted(too_far))}"


@pytest.mark.parametrize("part", ABOVE_SEAMS)
def test_no_part_may_import_what_it_does_not_need(part: str) -> None:
    used = set().union(*(_own_parts(path) for path in MODULES if _part(path) == part))
    assert ABOVE_SEAMS[part] <= used


READS_IMAGES = {"image_files.py", "gpu/shards.py"}
"""Who decodes images: those of users go through ``image_files``, packed ones come from ``gpu.shards``."""
REPLACES_FILES = {"files/writing.py", "gpu/feed.py"}
"""Who renames files into place: everything that is kept is written whole; blocks are read at once, and once."""


@pytest.mark.parametrize(
    ("calls", "owners"),
    [
        ({"imread", "imdecode"}, READS_IMAGES),
        ({"rename", "fsync"}, REPLACES_FILES),
        ({"savefig"}, {"files/figures.py"}),
    ],
    ids=["decoding an image", "renaming into place", "writing a figure"],
)
def test_a_task_has_its_owners(calls: set[str], owners: set[str]) -> None:
    callers = {_id(path) for path in MODULES if calls & _methods_called(path)}
    assert callers == owners


@pytest.mark.parametrize(
    ("reads", "owners"),
    [
        (r"\.care_(truth|predictions)\b", {"evaluation/evaluate.py", "evaluation/outcomes.py"}),
        (r"\bmanifest\.std\b", {"preprocess.py", "export/graphs.py"}),
    ],
    ids=["what became of a word", "normalising pixels"],
)
def test_a_decision_has_its_owners(reads: str, owners: set[str]) -> None:
    assert {_id(path) for path in MODULES if re.search(reads, _text(path))} == owners


def _methods_called(path: Path) -> set[str]:
    calls = [node.func for node in _nodes(path) if isinstance(node, ast.Call)]
    return {func.attr for func in calls if isinstance(func, ast.Attribute)}


@pytest.mark.parametrize("path", [path for path in MODULES if _part(path) not in WITH_TORCH], ids=_id)
def test_the_numpy_side_never_imports_torch_when_loaded(path: Path) -> None:
    assert not _at_import_time(path) & TORCH_SIDE


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").glob("*.py")), ids=_id)
def test_a_tool_imports_only_the_standard_library_before_it_runs(path: Path) -> None:
    assert _at_import_time(path) <= {*sys.stdlib_module_names, "text_spotting"}


@pytest.mark.parametrize("path", sorted((ROOT / "tools").glob("*.py")), ids=lambda path: path.name)
def test_a_script_of_tools_only_starts_its_cli_module(path: Path) -> None:
    assert set(_imports(_nodes(path))) == {"sys", "text_spotting.cli.main.run_tool"}
    assert f'run_tool("{path.stem}")' in _text(path)
    assert (PACKAGE / "cli" / path.name).is_file()


def test_the_flags_of_tools_are_found_however_they_are_declared() -> None:
    assert {"--load-weights", "--train-ann-files", "--format"} <= _flags_of_tools()


@pytest.mark.parametrize("path", [path for path in MODULES if _part(path) != "cli"], ids=_id)
def test_only_tools_name_their_flags(path: Path) -> None:
    named = _flags_named_in(path) - FLAGS_OF_OTHERS.get(_id(path), set())
    assert not named & _flags_of_tools(), "say the option's name, and pass it as UserError's about"


def test_the_arrows_themselves_make_no_circle() -> None:
    rest = {part: set(to) - {part} for part, to in MAY_IMPORT.items()}
    while free := {part for part, to in rest.items() if not to & set(rest)}:
        rest = {part: to for part, to in rest.items() if part not in free}
    assert not rest


def test_openvino_is_loaded_once_in_a_process() -> None:
    """``runtime.session.CORE`` says why."""
    assert [_id(path) for path in MODULES if "ov.Core(" in _text(path)] == ["runtime/session.py"]
