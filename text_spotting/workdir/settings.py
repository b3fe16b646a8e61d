"""What a training run is set to: by default, by template.yaml, by model.py, by the flags given; the later wins."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from text_spotting.errors import UserError
from text_spotting.workdir.template import BasicHyperParameters, Template

BUILT_IN, TEMPLATE, MODEL, FLAG = "built-in default", "template.yaml", "model.py", "flag"
"""Where a value comes from; the later wins."""

SETTINGS_FILE = "settings.yaml"


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that can be set.

    Attributes:
        name: of the flag, with underscores.
        path: key of ``model.py``, dotted; a number counts in a list.
        kind: type of its values.
        least: smallest value; ``above`` says that it must be greater.
        default: where nobody says anything; None where a template always does.
        template: what a template says.
    """

    name: str
    path: str
    kind: type
    least: float
    above: bool = False
    default: Any = None
    template: Callable[[Template], Any] | None = None

    def check(self, value: Any, origin: str) -> Any:
        """Return the value.

        Raises:
            UserError: it is of another kind or too small.
        """
        names = {FLAG: self.name, MODEL: f"{MODEL}: {self.path}"}
        where, about = names.get(origin, f"{origin}: {self.name}"), self.name if origin == FLAG else ""
        if isinstance(value, bool) or not isinstance(value, (int, float) if self.kind is float else int):
            kind = "a whole number" if self.kind is int else "a number"
            raise UserError(f"{where}: must be {kind}, not {value!r}", about=about)
        if value < self.least or (self.above and value == self.least):
            bound = f"above {self.least:g}" if self.above else f"{self.least:g} or more"
            raise UserError(f"{where} {value}: must be {bound}", about=about)
        return value


def _basic(name: str) -> Callable[[Template], Any]:
    assert name in BasicHyperParameters.model_fields
    return lambda template: getattr(template.hyper_parameters.basic, name)


KEYS = (
    Key("epochs", "train_cfg.max_epochs", int, 1, template=_basic("epochs")),
    Key("batch_size", "train_dataloader.batch_size", int, 1, template=_basic("batch_size")),
    Key(
        "base_learning_rate", "optim_wrapper.optimizer.lr", float, 0, above=True, template=_basic("base_learning_rate")
    ),
    Key("gpu_num", "gpu_num", int, 0, template=lambda template: template.gpu_num),
    Key("val_interval", "train_cfg.val_interval", int, 1, default=1),
    Key("workers", "train_dataloader.num_workers", int, 0, default=2),
    Key("seed", "seed", int, 0, default=0),
    Key("skip_bad_batches", "train_cfg.skip_bad_batches", int, 0, default=0),
)


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and where it comes from."""

    value: Any
    origin: str


Settings = Mapping[str, Setting]
"""By the names of ``KEYS``."""


def resolve(flags: Mapping[str, Any], config: Any, template: Template) -> Settings:
    """Find for every key the last of the four that says something.

    Args:
        flags: by name; a flag that was not given is None.
        config: the model's configuration as its file has it.

    Raises:
        UserError: a value of the wrong kind, or too small; the setting or key is named.
    """
    found = {}
    for key in KEYS:
        said = (
            (FLAG, flags.get(key.name)),
            (MODEL, _get(config, key.path)),
            (TEMPLATE, key.template(template) if key.template else None),
            (BUILT_IN, key.default),
        )
        origin, value = next((origin, value) for origin, value in said if value is not None)
        found[key.name] = Setting(key.check(value, origin), origin)
    return found


def apply(settings: Settings, config: Any) -> None:
    """Write the settings into a configuration, and what follows from them where it says nothing itself."""
    for key in KEYS:
        _set(config, key.path, settings[key.name].value)
    loader = config.train_dataloader
    _keep_workers(loader)
    loader.sampler.setdefault("seed", config.seed)
    loader.dataset.setdefault("seed", config.seed)
    if settings["seed"].origin == FLAG:
        loader.sampler.seed = loader.dataset.seed = config.seed
    for scheduler in config.param_scheduler:
        if scheduler.type == "CosineAnnealingLR":
            scheduler.setdefault("T_max", config.train_cfg.max_epochs)


def fill_in(config: Any) -> None:
    """Write what is built in where a configuration says nothing, which is what a run without a template goes by."""
    for key in KEYS:
        if key.default is not None and _get(config, key.path) is None:
            _set(config, key.path, key.default)
    _keep_workers(config.train_dataloader)


def _keep_workers(loader: Any) -> None:
    """Processes that load images stay for the next epoch, where there are any and nobody says otherwise."""
    loader.persistent_workers = loader.num_workers > 0 and loader.get("persistent_workers", True)


def told(name: str, settings: Settings) -> str:
    """A setting with its origin, as people are told it."""
    return f"{name.replace('_', ' ')} {settings[name].value} ({settings[name].origin})"


def summary(settings: Settings) -> str:
    """The settings and their origins in one line."""
    return "settings: " + ", ".join(told(name, settings) for name in settings)


def as_yaml(settings: Settings) -> str:
    """The settings and their origins as they are kept beside the checkpoints."""
    content = {name: {"value": one.value, "from": one.origin} for name, one in settings.items()}
    return yaml.safe_dump(content, sort_keys=False)


def save(settings: Settings, config: Any, folder: Path, write: Callable[[Path, str], None]) -> Sequence[Path]:
    """Keep the settings, and the whole configuration that was used, in a folder; returns the files."""
    files = {folder / SETTINGS_FILE: as_yaml(settings), folder / "model.py": config.pretty_text}
    for path, text in files.items():
        write(path, text)
    return list(files)


def _get(config: Any, path: str) -> Any:
    for name in path.split("."):
        config = config.get(name) if hasattr(config, "get") else None
    return config


def _set(config: Any, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for name in parents:
        config = config[name]
    config[last] = value
