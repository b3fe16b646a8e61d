"""Every template of the project is complete, loads, and keeps the promises that scripts rely on."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from text_spotting.engine.torch_spotter import build_network
from text_spotting.models.complexity import complexity, trainable_parameters
from text_spotting.workdir.config import flat_config, load_config
from text_spotting.workdir.template import Template, load_template

FOLDER = Path(__file__).parents[1] / "model_templates" / "alphanumeric-text-spotting"
TEMPLATES = sorted(FOLDER.glob("*/template.yaml"))
TOOLS = {"train.py", "eval.py", "export.py", "compress.py", "visualize.py"}


def _id(path: Path) -> str:
    return path.parent.name


def test_the_project_offers_the_published_model_and_three_light_ones() -> None:
    light = {"text-spotting-0003-lite", "text-spotting-0004-lite", "text-spotting-0005-lite"}
    assert {"text-spotting-0003", *light} <= {_id(path) for path in TEMPLATES}


@pytest.mark.parametrize("path", TEMPLATES, ids=_id)
def test_a_template_is_named_as_its_folder_and_brings_all_tools(path: Path) -> None:
    template = load_template(path)
    assert template.name == path.parent.name
    assert {d.destination for d in template.dependencies} == TOOLS | {"snapshot.pth"}
    assert (path.parent / "README.md").is_file()


@pytest.mark.parametrize("path", TEMPLATES, ids=_id)
def test_what_a_template_takes_from_the_project_is_there_and_unchanged(path: Path) -> None:
    for dependency in load_template(path).dependencies:
        if dependency.is_remote:
            continue
        content = (path.parent / dependency.source).read_bytes()
        assert dependency.size in (None, len(content))
        assert dependency.sha256 in (None, hashlib.sha256(content).hexdigest())


@pytest.mark.slow
@pytest.mark.parametrize("path", TEMPLATES, ids=_id)
def test_the_configuration_becomes_one_file_that_stands_alone(path: Path, tmp_path: Path) -> None:
    flat = flat_config(path.parent / load_template(path).config)
    assert "alphabet = dict(name='alphanumeric')" in flat
    values: dict[str, object] = {}
    exec(flat, values)
    assert "_base_" not in values
    assert isinstance(values["model"], dict)
    (tmp_path / "model.py").write_text(flat)
    assert flat_config(tmp_path / "model.py").partition("\n")[2] == flat.partition("\n")[2]


@pytest.mark.parametrize("path", TEMPLATES, ids=_id)
def test_the_shell_idiom_of_the_readme_finds_the_number_of_epochs(path: Path) -> None:
    script = "echo $((`cat ${MODEL_TEMPLATE} | grep epochs | tr -dc '0-9'` + ${ADD_EPOCHS}))"
    environment = {"MODEL_TEMPLATE": str(path), "ADD_EPOCHS": "1", "PATH": "/usr/bin:/bin"}
    told = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert int(told.stdout) == load_template(path).hyper_parameters.basic.epochs + 1


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in TEMPLATES if _id(path).endswith("-lite")], ids=_id)
def test_size_and_complexity_that_a_template_tells_are_those_of_its_network(path: Path) -> None:
    config = load_config(path.parent / "model.py")
    network = build_network(config)
    told = {metric.key: metric.value for metric in load_template(path).metrics}
    assert told["size"] == round(trainable_parameters(network) / 1e6, 2)
    assert told["complexity"] == round(complexity(network, config.input_size), 1)


@pytest.mark.parametrize("path", TEMPLATES, ids=_id)
def test_the_figures_that_a_template_tells_are_on_its_card(path: Path) -> None:
    told = {metric.key: str(metric.value) for metric in load_template(path).metrics}
    rows = [line for line in (path.parent / "README.md").read_text(encoding="utf-8").splitlines() if "|" in line]
    assert all(any(told[key] in row for row in rows) for key in ("f1", "word_spotting") if key in told)


def _published() -> Template:
    return load_template(FOLDER / "text-spotting-0003" / "template.yaml")


def test_0003_trains_as_published() -> None:
    basic = _published().hyper_parameters.basic
    assert (basic.batch_size, basic.base_learning_rate, basic.epochs) == (4, 0.01, 24)


def test_0003_starts_from_the_published_snapshot() -> None:
    weights = _published().weights
    assert weights is not None
    assert weights.source.endswith("/text_spotting/alphanumeric_text_spotting/text_spotting_0003/epoch_24.pth")
    assert weights.sha256 == "2fb616a251461809a92502255247978c6e7f51df7d87e5be90c0ac81b48d0e32"
    assert weights.size == 223291172
