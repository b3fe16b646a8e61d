"""The set-up: what the package asks for, what is pinned, and how the scripts refuse."""

import ast
import os
import re
import runpy
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from unittest import mock

import pytest

ROOT = Path(__file__).parents[1]
OPTIONAL = {"rapidocr", "torchvision", "fsspec", "pyarrow", "ray"}  # used where they are at hand, or asked for by name


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {_normal(line.split("==")[0]): line.split("==")[1] for line in lines if "==" in line and line[0] != "#"}


def _required(*extras: str) -> set[str]:
    """Distributions that the package asks for, its base and these extras; as setup.py says now, installed or not."""
    with mock.patch("setuptools.setup") as setup:
        runpy.run_path(str(ROOT / "setup.py"))
    project = setup.call_args.kwargs
    asked = [*project["install_requires"], *(one for extra in extras for one in project["extras_require"][extra])]
    return {_normal(re.split(r"[ <>=!;\[~]", requirement)[0]) for requirement in asked}


def _imported(paths: list[Path]) -> set[str]:
    names = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"text_spotting"} - OPTIONAL


def _not_asked_for(paths: list[Path], required: set[str]) -> set[str]:
    offered = metadata.packages_distributions()
    return {name for name in _imported(paths) if not {_normal(d) for d in offered.get(name, [])} & required}


@pytest.mark.slow
def test_everything_that_the_package_imports_is_asked_for_by_an_extra() -> None:
    assert not _not_asked_for(sorted((ROOT / "text_spotting").rglob("*.py")), _required("runtime", "train"))


def test_every_requirement_is_pinned_except_the_optional_torchvision() -> None:
    assert _required("runtime", "train", "many", "dev") <= set(_pins())
    assert _required("vision") - _required() == {"torchvision"}


def test_a_machine_that_only_runs_models_gets_neither_torch_nor_mmdet() -> None:
    assert _required("runtime") == {
        "numpy",
        "opencv-python",
        "openvino",
        "pillow",
        "pydantic",
        "pyyaml",
        "shapely",
        "tqdm",
    }


def test_this_environment_is_the_pinned_one() -> None:
    installed = {_normal(d.name): d.version.partition("+")[0] for d in metadata.distributions()}
    if "opencv-python" not in installed:  # what init_venv.sh falls back to where libGL is missing
        installed["opencv-python"] = installed["opencv-python-headless"]
    pins = _pins()
    for name in _required("runtime", "train", "dev"):
        assert installed[name] == pins[name], name


@pytest.mark.parametrize("script", ["init_venv.sh", "run_tests.sh", "demo.sh", ".ci/run"])
def test_a_script_is_executable_and_parses(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["bash", "-n", ROOT / script], check=True)


@pytest.mark.parametrize(
    ("arguments", "python", "complaint"),
    [
        (["--fast"], None, "unknown option --fast"),
        (["one", "two"], None, "one directory at most"),
        (["{new}"], "false", "is not Python 3.11, 3.12 or 3.13"),
    ],
)
def test_set_up_refuses_with_one_clear_line(
    tmp_path: Path, arguments: list[str], python: str | None, complaint: str
) -> None:
    environment = {**os.environ, **({"PYTHON": python} if python else {})}
    command = [str(ROOT / "init_venv.sh"), *(argument.format(new=tmp_path / "new") for argument in arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert complaint in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_every_pinned_package_has_a_line_with_its_licence() -> None:
    lines = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8").splitlines()
    stated = {
        _normal(line.split("|")[1].strip()): line.split("|")[2].strip() for line in lines if line.startswith("| ")
    }
    assert not set(_pins()) - set(stated)
    assert all(stated[name] for name in _pins())
