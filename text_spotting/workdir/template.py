"""The schema of ``template.yaml``: one trainable model, what it depends on and how it was measured."""

import re
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError, field_validator

from text_spotting.alphabet import Alphabet
from text_spotting.errors import UserError
from text_spotting.files.reading import read_text
from text_spotting.files.yaml_files import parse_yaml

TEMPLATE_NAME = "template.yaml"
REMOTE_SCHEMES = ("http", "https")

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Dependency(_Section):
    """A file or folder that a work dir needs besides the template itself.

    Attributes:
        source: path relative to the template's folder, ``file://`` URL, or ``http(s)://`` URL.
        destination: where it goes, relative to the work dir.
        sha256, size: content hash and bytes; checked where given, required for ``http(s)``.
    """

    source: str = Field(min_length=1)
    destination: str = Field(min_length=1)
    sha256: Sha256 | None = None
    size: PositiveInt | None = None

    @property
    def is_remote(self) -> bool:
        return urlsplit(self.source).scheme in REMOTE_SCHEMES

    @field_validator("source")
    @classmethod
    def _known_scheme(cls, source: str) -> str:
        scheme = urlsplit(source).scheme
        if "://" in source and scheme not in (*REMOTE_SCHEMES, "file"):
            raise ValueError(f"scheme '{scheme}://' is not one of file, http, https")
        return source

    @field_validator("destination")
    @classmethod
    def _inside_work_dir(cls, destination: str) -> str:
        return _stays_inside(destination)

    def model_post_init(self, _context: Any) -> None:
        if self.is_remote and (self.sha256 is None or self.size is None):
            raise ValueError("a download needs both sha256 and size")


def _stays_inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or not path.parts:
        raise ValueError("must stay inside the work dir: relative, without '..'")
    return name


class BasicHyperParameters(_Section):
    """What ``train.py`` uses unless a flag says otherwise; ``batch_size`` is per device."""

    batch_size: PositiveInt
    base_learning_rate: PositiveFloat
    epochs: PositiveInt


class HyperParameters(_Section):
    """Groups of hyper parameters."""

    basic: BasicHyperParameters


class OnnxOutput(_Section):
    """Whether ``export.py`` writes ONNX unless told otherwise."""

    default: bool


class OpenVinoOutput(OnnxOutput):
    """As for ONNX, and the color order that the IR takes."""

    input_format: Literal["BGR", "RGB"] = "BGR"


class OutputFormat(_Section):
    """Defaults of ``export.py``."""

    onnx: OnnxOutput
    openvino: OpenVinoOutput


class Metric(_Section):
    """One measured figure, as ``metrics.yaml`` writes it too."""

    display_name: str
    key: str
    unit: str
    value: float


class Template(_Section):
    """A whole ``template.yaml``; a list of ``training_target`` and the like holds device kinds.

    ``alphabet`` is what ``Alphabet.of`` takes; ``model.py`` may say otherwise.
    """

    name: str = Field(min_length=1)
    domain: Literal["Text Spotting"]
    problem: Literal["Alphanumeric Text Spotting"]
    framework: str
    summary: str
    annotation_format: Literal["COCO with text"]
    initial_weights: str | None = None
    dependencies: tuple[Dependency, ...] = ()
    max_nodes: PositiveInt
    training_target: tuple[str, ...]
    inference_target: tuple[str, ...]
    hyper_parameters: HyperParameters
    output_format: OutputFormat
    optimisations: dict[str, Any] | None = None
    metrics: tuple[Metric, ...] = ()
    alphabet: str | dict[str, Any] | None = None
    gpu_num: int = Field(ge=0)
    tensorboard: bool
    config: str = Field(min_length=1)

    @cached_property
    def weights(self) -> Dependency | None:
        """The dependency that is the initial snapshot."""
        return next((d for d in self.dependencies if d.destination == self.initial_weights), None)

    @field_validator("alphabet")
    @classmethod
    def _known_alphabet(cls, alphabet: str | dict[str, Any] | None) -> str | dict[str, Any] | None:
        try:
            Alphabet.of(alphabet)
        except UserError as error:
            raise ValueError(str(error).removeprefix("alphabet: ")) from error
        return alphabet

    @field_validator("config")
    @classmethod
    def _inside_work_dir(cls, config: str) -> str:
        return _stays_inside(config)

    @field_validator("dependencies")
    @classmethod
    def _distinct_destinations(cls, dependencies: tuple[Dependency, ...]) -> tuple[Dependency, ...]:
        destinations = [d.destination for d in dependencies]
        if twice := sorted({d for d in destinations if destinations.count(d) > 1}):
            raise ValueError(f"more than one goes to {', '.join(twice)}")
        return dependencies


def load_template(path: Path) -> Template:
    """Read and check a ``template.yaml``.

    Raises:
        UserError: unreadable, not YAML, or wrong anywhere; every problem is named with its key.
    """
    text = _read(path)
    content = parse_yaml(text, str(path))
    if not isinstance(content, dict):
        raise UserError(f"{path}: a template is a mapping of keys to values; this is not one")
    try:
        template = Template.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{path}: {'; '.join(map(_problem, error.errors()))}") from error
    _check_epochs_line(text, template.hyper_parameters.basic.epochs, path)
    return template


def _read(path: Path) -> str:
    if path.is_dir():
        raise UserError(f"{path}: is a folder; name the {TEMPLATE_NAME} in it")
    if not path.exists():
        raise UserError(f"{path}: no such template")
    return read_text(path, "template")


def _problem(details: Any) -> str:
    key = ".".join(map(str, details["loc"])) or "template"
    message = {"missing": "is missing", "extra_forbidden": "is not a known key"}.get(details["type"])
    return f"{key}: {message or details['msg'].removeprefix('Value error, ')}"


def _check_epochs_line(text: str, epochs: int, path: Path) -> None:
    """Shell scripts read the number of training epochs with ``grep epochs | tr -dc 0-9``; keep that true."""
    lines = [line for line in text.splitlines() if "epochs" in line]
    digits = "".join(re.findall(r"\d", "".join(lines)))
    if len(lines) != 1 or digits != str(epochs):
        raise UserError(
            f"{path}: hyper_parameters.basic.epochs: exactly one line may hold the word 'epochs', with no other digits "
            f"than its value, because scripts grep for it; found {len(lines)} such line(s) with digits '{digits}'"
        )
