"""How a model is to be run, and which back end runs it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from text_spotting.contract import Engine
from text_spotting.errors import UserError

ONNX_PRECISION = "f32"
"""What onnxruntime computes our graphs in."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how graphs are to run; the fields are arguments of ``runtime.spotter.Spotter``.

    Raises:
        UserError: a number makes no sense.
    """

    device: str = "CPU"
    precision: str | None = None
    streams: int = 1
    threads: int = 0
    cache_dir: Path | None = None

    def __post_init__(self) -> None:
        if self.streams < 1:
            raise UserError(f"streams={self.streams}: must be 1 or more")
        if self.threads < 0:
            raise UserError(f"threads={self.threads}: must be 0 (all cores) or more")

    def unless_asked(self, precision: str) -> "Target":
        """Take over what a model wants to be computed in."""
        return self if self.precision else replace(self, precision=precision or None)

    def reject_unsupported(self, owner: str, supported: Sequence[str]) -> None:
        """Refuse what ``owner`` cannot follow.

        Raises:
            UserError: a field was given that is not among the ``supported``.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name not in supported and value != field.default:
                raise UserError(f"{field.name}={str(value)!r} cannot be had with {owner}; leave it out")


def open_engine(detector: Path, target: Target) -> Engine:
    """Return the engine for an exported model: onnxruntime for ``.onnx``, OpenVINO for ``.xml``.

    Where the same model lies beside it in INT8, that is opened if asked for, or if nothing is and it is fastest here.

    Raises:
        UserError: the model does not load, or the target cannot be had with it.
    """
    if detector.suffix == ".onnx":
        from text_spotting.runtime.onnx_engine import OnnxEngine

        supported = ["streams", "threads", *(["precision"] if target.precision == ONNX_PRECISION else [])]
        target.reject_unsupported(f"{detector.name}: onnxruntime runs .onnx on the CPU in {ONNX_PRECISION}", supported)
        return OnnxEngine(detector, threads=target.threads)
    try:
        from text_spotting.runtime.openvino_engine import OpenVinoEngine
        from text_spotting.runtime.session import choose_int8
    except ModuleNotFoundError as error:
        raise UserError(f"{detector}: needs the package {error.name}; install it: pip install openvino") from error
    return OpenVinoEngine(*choose_int8(detector, target))
