"""From a template to a work dir: what is written, kept, refused."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_workdir_template import GOOD

from text_spotting.cli.main import run_tool
from text_spotting.errors import UserError
from text_spotting.workdir import paths
from text_spotting.workdir.instantiate import RECORD_NAME, FileOutcome, instantiate

SNAPSHOT = b"weights"
SHOW_WORK_DIR = """\
from text_spotting.workdir.paths import require_work_dir
work_dir = require_work_dir()
print(work_dir.template.name, work_dir.config_file.name, work_dir.template.initial_weights)
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A template, its base configuration, one tool and a folder, in a path with spaces."""
    folder = tmp_path / "my models" / "tiny"
    folder.mkdir(parents=True)
    (tmp_path / "my models" / "base.py").write_text('optimizer = dict(type="SGD", lr=0.5)\n')
    (folder / "model.py").write_text('_base_ = "../base.py"\n_rate = 0.25\noptimizer = dict(lr=_rate)\n')
    (folder / "snapshot.pth").write_bytes(SNAPSHOT)
    (folder / "show.py").write_text(SHOW_WORK_DIR)
    (folder / "extra" / "deep").mkdir(parents=True)
    (folder / "extra" / "deep" / "words.txt").write_text("stop\n")
    more = "  - {source: show.py, destination: show.py}\n  - {source: extra, destination: lists/extra}\nmax_nodes"
    (folder / "template.yaml").write_text(GOOD.replace("max_nodes", more))
    return folder / "template.yaml"


def _run(template: Path, output: Path, *, load_snapshot: bool = True, force: bool = False) -> dict[str, FileOutcome]:
    return dict(instantiate(template, output, load_snapshot=load_snapshot, force=force))


def test_a_new_work_dir_holds_everything_and_nothing_else(template: Path, tmp_path: Path) -> None:
    output = tmp_path / "work dir"
    outcomes = _run(template, output)
    expected = {"template.yaml", "model.py", "show.py", "lists/extra/deep/words.txt", "snapshot.pth"}
    assert outcomes == dict.fromkeys(expected, FileOutcome.WRITTEN)
    found = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    assert found == expected | {RECORD_NAME}
    assert (output / "snapshot.pth").read_bytes() == SNAPSHOT


def test_the_configuration_is_flat_and_overrides_its_base(template: Path, tmp_path: Path) -> None:
    _run(template, tmp_path / "work")
    values: dict[str, object] = {}
    exec((tmp_path / "work" / "model.py").read_text(), values)
    assert values["optimizer"] == {"type": "SGD", "lr": 0.25}
    assert "_base_" not in values
    assert "_rate" not in values


def test_a_bare_file_name_means_the_current_directory(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(template.parent)
    assert "show.py" in _run(Path("template.yaml"), tmp_path / "work")


@pytest.mark.slow
def test_a_copied_tool_finds_its_work_dir_from_any_directory(template: Path, tmp_path: Path) -> None:
    output = tmp_path / "work dir"
    _run(template, output)
    shown = subprocess.run(
        [sys.executable, output / "show.py"], cwd="/", capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert shown.stdout.split() == ["tiny", "model.py", "snapshot.pth"]


def test_a_tool_outside_of_a_work_dir_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "train.py")])
    assert paths.beside_script() is None
    with pytest.raises(UserError, match=r"instantiate_template\.py <template\.yaml> <work dir>"):
        paths.require_work_dir()


def test_without_a_snapshot_the_rest_is_written(template: Path, tmp_path: Path) -> None:
    outcomes = _run(template, tmp_path / "work", load_snapshot=False)
    assert "snapshot.pth" not in outcomes
    assert not (tmp_path / "work" / "snapshot.pth").exists()


def test_a_second_run_changes_nothing(template: Path, tmp_path: Path) -> None:
    _run(template, tmp_path / "work")
    assert set(_run(template, tmp_path / "work").values()) == {FileOutcome.UNCHANGED}


def test_edited_files_are_kept_and_outdated_ones_updated(template: Path, tmp_path: Path) -> None:
    output = tmp_path / "work"
    _run(template, output)
    (output / "model.py").write_text("# mine\n")
    (template.parent / "show.py").write_text("# newer tool\n")
    outcomes = _run(template, output)
    assert outcomes["model.py"] is FileOutcome.KEPT
    assert outcomes["show.py"] is FileOutcome.UPDATED
    assert (output / "model.py").read_text() == "# mine\n"
    assert (output / "show.py").read_text() == "# newer tool\n"


def test_force_replaces_edited_files(template: Path, tmp_path: Path) -> None:
    output = tmp_path / "work"
    _run(template, output)
    (output / "model.py").write_text("# mine\n")
    assert _run(template, output, force=True)["model.py"] is FileOutcome.UPDATED
    assert "optimizer" in (output / "model.py").read_text()


def test_files_of_unknown_origin_count_as_edited(template: Path, tmp_path: Path) -> None:
    output = tmp_path / "work"
    output.mkdir()
    (output / "snapshot.pth").write_bytes(b"my own weights")
    assert _run(template, output)["snapshot.pth"] is FileOutcome.KEPT
    assert (output / "snapshot.pth").read_bytes() == b"my own weights"


def test_a_missing_source_is_found_before_anything_is_written(template: Path, tmp_path: Path) -> None:
    (template.parent / "show.py").unlink()
    with pytest.raises(UserError, match=r"show\.py is missing"):
        _run(template, tmp_path / "work")
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(("fact", "complaint"), [("size: 8", "size is 7 bytes"), (f"sha256: {'f' * 64}", "sha256 is ")])
def test_a_local_snapshot_is_checked_too(template: Path, tmp_path: Path, fact: str, complaint: str) -> None:
    line = "    destination: snapshot.pth\n"
    template.write_text(template.read_text().replace(line, f"{line}    {fact}\n"))
    with pytest.raises(UserError, match=complaint):
        _run(template, tmp_path / "work")
    assert not (tmp_path / "work" / "snapshot.pth").exists()


def test_a_file_url_names_a_path_with_spaces(template: Path, tmp_path: Path) -> None:
    url = (template.parent / "snapshot.pth").as_uri()
    assert "%20" in url
    template.write_text(template.read_text().replace("source: snapshot.pth", f"source: {url}"))
    assert _run(template, tmp_path / "work")["snapshot.pth"] is FileOutcome.WRITTEN


def _make_remote(template: Path) -> None:
    remote = f"source: http://127.0.0.1:9/a.pth\n    sha256: {hashlib.sha256(SNAPSHOT).hexdigest()}\n    size: 7"
    template.write_text(template.read_text().replace("source: snapshot.pth", remote))


def test_no_network_is_one_line_with_both_ways_on(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEXT_SPOTTING_CACHE", str(tmp_path / "cache"))
    _make_remote(template)
    assert run_tool("instantiate_template", [str(template), str(tmp_path / "work")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "run again without the snapshot" in error
    assert str(tmp_path / "work" / "snapshot.pth") in error
    assert (tmp_path / "work" / "model.py").is_file()


def test_the_file_put_there_by_hand_is_taken(template: Path, tmp_path: Path) -> None:
    _make_remote(template)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "snapshot.pth").write_bytes(SNAPSHOT)
    assert _run(template, tmp_path / "work")["snapshot.pth"] is FileOutcome.UNCHANGED


def test_an_output_that_is_a_file_is_refused(template: Path, tmp_path: Path) -> None:
    (tmp_path / "work").write_text("in the way")
    with pytest.raises(UserError, match="cannot write into"):
        _run(template, tmp_path / "work")


def test_a_broken_configuration_is_refused_before_anything_is_written(template: Path, tmp_path: Path) -> None:
    (template.parent / "model.py").write_text("model = dict(\n")
    with pytest.raises(UserError, match=r"model\.py: the configuration does not load"):
        _run(template, tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_the_tool_prints_what_it_wrote(template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_tool("instantiate_template", [str(template), str(tmp_path / "work")]) == 0
    printed = capsys.readouterr().out
    for name in ("template.yaml", "model.py", "show.py", "snapshot.pth"):
        assert name in printed


def test_a_link_in_the_work_dir_leads_no_file_out_of_it(template: Path, tmp_path: Path) -> None:
    output, elsewhere = tmp_path / "work", tmp_path / "elsewhere"
    output.mkdir()
    elsewhere.mkdir()
    (output / "lists").symlink_to(elsewhere)
    with pytest.raises(UserError, match="a folder on the way is a link"):
        _run(template, output)
    assert not list(elsewhere.rglob("*.txt"))
