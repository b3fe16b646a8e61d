"""Who decides what a training run is set to, and that it is summary."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from small_networks import TEMPLATES

from text_spotting.errors import UserError
from text_spotting.workdir.config import load_config
from text_spotting.workdir.settings import KEYS, apply, as_yaml, fill_in, resolve, summary
from text_spotting.workdir.template import load_template

LITE = TEMPLATES / "text-spotting-0003-lite"
TEMPLATE = load_template(LITE / "template.yaml")


def config_with(tmp_path: Path, lines: str = "") -> Any:
    (tmp_path / "model.py").write_text(f"_base_ = [{str(LITE / 'model.py')!r}]\n{lines}\n")
    return load_config(tmp_path / "model.py")


def test_without_flags_the_template_and_the_built_in_values_hold(tmp_path: Path) -> None:
    settings = resolve({}, config_with(tmp_path), TEMPLATE)
    assert {name: (one.value, one.origin) for name, one in settings.items()} == {
        "epochs": (8, "template.yaml"),
        "batch_size": (4, "template.yaml"),
        "base_learning_rate": (0.0005, "template.yaml"),
        "gpu_num": (1, "template.yaml"),
        "val_interval": (1, "built-in default"),
        "workers": (2, "built-in default"),
        "seed": (0, "built-in default"),
        "skip_bad_batches": (0, "built-in default"),
    }


MINE = """
gpu_num = 0
seed = 7
train_cfg = dict(max_epochs=3, val_interval=2, skip_bad_batches=4)
train_dataloader = dict(batch_size=2, num_workers=0)
optim_wrapper = dict(optimizer=dict(lr=0.01))
"""


def test_what_model_py_says_wins_over_the_template_and_is_what_trains(tmp_path: Path) -> None:
    config = config_with(tmp_path, MINE)
    settings = resolve({key.name: None for key in KEYS}, config, TEMPLATE)
    assert {one.origin for one in settings.values()} == {"model.py"}
    apply(settings, config)
    assert (config.train_cfg.max_epochs, config.train_cfg.val_interval, config.seed) == (3, 2, 7)
    assert config.train_cfg.skip_bad_batches == 4
    loader = config.train_dataloader
    assert (loader.batch_size, loader.num_workers, loader.persistent_workers) == (2, 0, False)
    assert (loader.sampler.seed, loader.dataset.seed) == (7, 7)
    assert config.optim_wrapper.optimizer.lr == 0.01
    assert config.param_scheduler[1].T_max == 3, "the schedule ends with the epochs"


def test_a_flag_that_is_given_wins_over_all(tmp_path: Path) -> None:
    config = config_with(tmp_path, MINE + "train_dataloader['dataset'] = dict(seed=3)")
    flags = {"epochs": 5, "batch_size": 1, "base_learning_rate": 0.1, "gpu_num": 2, "val_interval": 9, "workers": 3}
    settings = resolve({**flags, "seed": 0, "skip_bad_batches": 0}, config, TEMPLATE)
    assert {one.origin for one in settings.values()} == {"flag"}, "0 is a value"
    apply(settings, config)
    assert (config.train_cfg.max_epochs, config.train_cfg.val_interval, config.seed) == (5, 9, 0)
    assert config.train_cfg.skip_bad_batches == 0
    loader = config.train_dataloader
    assert (loader.batch_size, loader.num_workers, loader.persistent_workers) == (1, 3, True)
    assert (loader.sampler.seed, loader.dataset.seed) == (0, 0)
    assert config.optim_wrapper.optimizer.lr == 0.1


def test_a_schedule_that_model_py_sets_stays(tmp_path: Path) -> None:
    config = config_with(tmp_path, "param_scheduler = [dict(type='CosineAnnealingLR', T_max=40, by_epoch=True)]")
    apply(resolve({"epochs": 5}, config, TEMPLATE), config)
    assert config.param_scheduler[0].T_max == 40


def test_a_run_without_a_template_goes_by_what_is_built_in_and_by_what_is_said(tmp_path: Path) -> None:
    config = config_with(tmp_path, "train_dataloader = dict(num_workers=1)")
    assert "seed" not in config, "the templates leave it to what is built in"
    fill_in(config)
    loader = config.train_dataloader
    assert (config.seed, config.train_cfg.val_interval, config.train_cfg.skip_bad_batches) == (0, 1, 0)
    assert (loader.num_workers, loader.persistent_workers) == (1, True)
    lines = "seed = 5\ntrain_dataloader = dict(num_workers=1, persistent_workers=False)"
    said = config_with(tmp_path, lines)
    fill_in(said)
    assert (said.seed, said.train_dataloader.persistent_workers) == (5, False)


def test_values_and_origins_are_told_and_kept(tmp_path: Path) -> None:
    settings = resolve({"epochs": 5}, config_with(tmp_path), TEMPLATE)
    assert summary(settings).startswith(
        "settings: epochs 5 (flag), batch size 4 (template.yaml), base learning rate 0.0005"
    )
    kept = yaml.safe_load(as_yaml(settings))
    assert kept["epochs"] == {"value": 5, "from": "flag"}
    assert list(kept) == [key.name for key in KEYS]


@pytest.mark.parametrize(
    ("flags", "lines", "complaint"),
    [
        ({"epochs": 0}, "", "^epochs 0: must be 1 or more"),
        ({"base_learning_rate": 0.0}, "", "^base_learning_rate 0.0: must be above 0"),
        ({}, "train_dataloader = dict(batch_size=0)", r"model.py: train_dataloader.batch_size 0: must be 1 or more"),
        ({}, "train_cfg = dict(max_epochs='3')", r"model.py: train_cfg.max_epochs: must be a whole number, not '3'"),
        ({}, "seed = 1.5", "model.py: seed: must be a whole number, not 1.5"),
        ({}, "seed = True", "model.py: seed: must be a whole number, not True"),
    ],
    ids=["no epochs", "no rate", "an empty batch in model.py", "epochs in quotes", "half a seed", "a truth value"],
)
def test_values_that_mean_nothing_are_named_with_their_owner(
    tmp_path: Path, flags: dict[str, Any], lines: str, complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint):
        resolve(flags, config_with(tmp_path, lines), TEMPLATE)


def test_the_page_tells_every_setting_and_what_is_built_in() -> None:
    page = (TEMPLATES.parents[1] / "docs" / "configuration.md").read_text(encoding="utf-8")
    rows = [[cell.strip(" `") for cell in line.split("|")] for line in page.splitlines() if "| `--" in line]
    told = {(row[2], row[3], row[5]) for row in rows}
    assert told == {
        (f"--{key.name.replace('_', '-')}", key.path, "" if key.default is None else str(key.default)) for key in KEYS
    }


@pytest.mark.parametrize("folder", sorted(path.parent for path in TEMPLATES.glob("*/model.py")), ids=lambda f: f.name)
def test_no_template_says_twice_what_its_runs_are_set_to(folder: Path) -> None:
    template = load_template(folder / "template.yaml")
    settings = resolve({}, load_config(folder / "model.py"), template)
    basic = template.hyper_parameters.basic
    for name in ("epochs", "batch_size", "base_learning_rate"):
        assert (settings[name].value, settings[name].origin) == (getattr(basic, name), "template.yaml"), name
