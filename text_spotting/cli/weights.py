"""From a file of weights of any kind to something that spots words."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.errors import UserError

if TYPE_CHECKING:
    from text_spotting.evaluation.inference import Spotter

CHECKPOINT = ".pth"
EXPORTED = (".xml", ".bin", ".onnx")


@dataclass(frozen=True)
class LoadedSpotter:
    """A spotter and how large its network is.

    Attributes:
        parameters_m: trainable parameters in millions; None where only an exported graph is at hand.
        gflops: 2 x multiply-accumulates at the input size, in 1e9; None likewise.
    """

    spotter: "Spotter"
    parameters_m: float | None = None
    gflops: float | None = None


def load_spotter(weights: Path, config: Path | None, device: str | None) -> LoadedSpotter:
    """Load a checkpoint with PyTorch, or an exported model with OpenVINO or ONNX Runtime.

    Args:
        config: model configuration of a checkpoint; by default the one of the work dir that the script lies in.
        device: None for the default of the framework.

    Raises:
        UserError: the file is missing, of no known kind, or does not fit.
    """
    if not weights.exists():
        raise UserError(f"--load-weights: {weights} does not exist")
    if weights.suffix in EXPORTED or weights.is_dir():
        return _load_exported(weights, device)
    if weights.suffix == CHECKPOINT:
        return _load_checkpoint(weights, config, device)
    known = ", ".join((CHECKPOINT, *EXPORTED))
    raise UserError(f"--load-weights: {weights} is of no known kind; expected a file ending in {known}")


def _load_exported(weights: Path, device: str | None) -> LoadedSpotter:
    from text_spotting.runtime.spotter import Spotter

    return LoadedSpotter(Spotter(weights, device=device or "CPU"))


def _load_checkpoint(weights: Path, config: Path | None, device: str | None) -> LoadedSpotter:
    from text_spotting.engine.torch_spotter import TorchSpotter
    from text_spotting.workdir.paths import require_work_dir

    spotter = TorchSpotter.from_checkpoint(config or require_work_dir().config_file, weights, device=device)
    return LoadedSpotter(spotter, spotter.parameters_m, spotter.gflops)
