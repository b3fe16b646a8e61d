"""The wheel: what it holds, and that it works where there is no checkout."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from text_spotting.errors import UserError
from text_spotting.workdir.catalogue import find_template, templates

ROOT = Path(__file__).parents[1]
NAMES = ["text-spotting-0003", *(f"text-spotting-000{number}-lite" for number in (3, 4, 5))]
PARTS = {
    "text_spotting",
    "configs",
    "data",
    "model_templates",
    "tools",
    "MANIFEST.in",
    "setup.py",
    "pyproject.toml",
    "README.md",
}
"""What a wheel is made of; linked, so that the build's own files stay out of the checkout."""


def test_templates_are_found_by_name_by_folder_and_by_file() -> None:
    assert set(templates()) >= set(NAMES)
    by_name = find_template("text-spotting-0003-lite")
    assert by_name.name == "template.yaml"
    assert find_template(str(by_name)) == by_name
    assert find_template(str(by_name.parent)) == by_name


def test_an_unknown_template_is_answered_with_the_names_of_all() -> None:
    with pytest.raises(
        UserError, match=r"no template text-spotting-9999: .*text-spotting-0003, text-spotting-0003-lite"
    ):
        find_template("text-spotting-9999")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project built from a copy and installed into a folder of its own, without what it depends on."""
    folder = tmp_path_factory.mktemp("packaging")
    source = folder / "source"
    source.mkdir()
    for path in ROOT.iterdir():
        if path.name in PARTS:
            (source / path.name).symlink_to(path)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index"]
    target = folder / "site"
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--target", target, source], check=True)
    return target


@pytest.mark.slow
def test_the_box_comes_along_in_both_precisions(installed: Path) -> None:
    box = installed / "text_spotting" / "box"
    graphs = {path.name for path in box.glob("*.bin")}
    assert len(graphs) == 4
    assert {path.name for path in (box / "int8").glob("*.bin")} == graphs


@pytest.mark.slow
def test_an_installed_package_instantiates_by_name_away_from_any_checkout(installed: Path, tmp_path: Path) -> None:
    code = "import sys; from text_spotting.cli.main import run_tool; sys.exit(run_tool('instantiate_template'))"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", code, NAMES[1], str(tmp_path / "work")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert ended.returncode == 0, ended.stderr
    assert {"model.py", "template.yaml", "train.py", "eval.py", "export.py", "snapshot.pth"} <= {
        path.name for path in (tmp_path / "work").iterdir()
    }
    own = subprocess.run(
        [sys.executable, "-c", "import text_spotting; print(text_spotting.__file__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=environment,
    )
    assert own.stdout.startswith(str(installed))


@pytest.mark.slow
def test_the_wheel_carries_the_word_lists_the_report_page_the_toy_set_and_its_types(installed: Path) -> None:
    package = installed / "text_spotting"
    for name in (
        "py.typed",
        "synth/words.txt",
        "evaluation/report_page/page.html",
        "share/configs/_base_/runtime.py",
        "share/data/horizontal_text_detection/annotation.json",
        "share/tools/train.py",
    ):
        assert (package / name).is_file(), name
    assert not (installed / "tests").exists()
