"""Old scripts make work dirs of many templates at once."""

from pathlib import Path

import pytest
from small_networks import TEMPLATES as FOLDERS

from text_spotting.cli.main import run_tool

FOLDER = "text_spotting/alphanumeric-text-spotting"
TEMPLATES = "model_templates/alphanumeric-text-spotting"


def instantiate(destination: Path, *arguments: object) -> int:
    return run_tool("instantiate", [str(destination), "--do-not-load-snapshots", *map(str, arguments)])


@pytest.mark.slow
def test_every_template_gets_a_work_dir_by_domain_problem_and_name(tmp_path: Path) -> None:
    assert instantiate(tmp_path) == 0
    made = sorted(path.name for path in (tmp_path / FOLDER).iterdir())
    assert made == sorted(path.parent.name for path in FOLDERS.glob("*/template.yaml"))
    assert (tmp_path / FOLDER / made[0] / "train.py").is_file()


@pytest.mark.slow
def test_a_filter_and_a_list_choose(tmp_path: Path) -> None:
    assert instantiate(tmp_path / "a", "--templates-filter", "**/text-spotting-0003/template.yaml") == 0
    assert [path.name for path in (tmp_path / "a" / FOLDER).iterdir()] == ["text-spotting-0003"]
    (tmp_path / "list.yaml").write_text(f"- {TEMPLATES}/text-spotting-0003-lite/template.yaml\n")
    assert instantiate(tmp_path / "b", "--templates-list-file", tmp_path / "list.yaml") == 0
    assert [path.name for path in (tmp_path / "b" / FOLDER).iterdir()] == ["text-spotting-0003-lite"]


@pytest.mark.parametrize("chosen", ["all", "listed"])
def test_an_installed_package_takes_the_templates_that_it_carries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: str
) -> None:
    package, made = tmp_path / "site" / "text_spotting", []
    monkeypatch.setattr("text_spotting.workdir.catalogue.PACKAGE", package)
    monkeypatch.setattr("text_spotting.cli.instantiate_template.run", lambda args: made.append(args.template))
    template = package / "share" / TEMPLATES / "mine" / "template.yaml"
    template.parent.mkdir(parents=True)
    template.write_bytes((FOLDERS / "text-spotting-0003" / "template.yaml").read_bytes())
    (tmp_path / "list.yaml").write_text(f"- {TEMPLATES}/mine/template.yaml\n")
    flags = ["--templates-list-file", tmp_path / "list.yaml"] if chosen == "listed" else []
    assert instantiate(tmp_path / "out", *flags) == 0
    assert made == [template]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "does not exist"),
        ("a: 1\n", "expected a YAML list"),
        ("[1\n", "not valid YAML"),
        ("- &a x\n- *a\n", "references (*name) are not allowed here"),
    ],
    ids=["missing", "no list", "no YAML", "a reference"],
)
def test_a_list_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, complaint: str
) -> None:
    if content:
        (tmp_path / "list.yaml").write_text(content)
    assert instantiate(tmp_path / "out", "--templates-list-file", tmp_path / "list.yaml") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: --templates-list-file: ") and complaint in line


def test_a_filter_that_fits_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert instantiate(tmp_path, "--templates-filter", "**/nothing.yaml") == 2
    assert "no template below" in capsys.readouterr().err
