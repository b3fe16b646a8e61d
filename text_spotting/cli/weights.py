"""From a file of weights of any kind to something that spots words."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from text_spotting.errors import UserError
from text_spotting.runtime.files import EXPORTED

if TYPE_CHECKING:
    from text_spotting.evaluation.inference import Spotter as AnySpotter
    from text_spotting.runtime.spotter import Spotter

CHECKPOINT = ".pth"
LOWEST_SCORE = 0.05
"""Detections below it are noise whatever the threshold; they would only cost time."""

Size = tuple[float, float]
"""Trainable parameters in millions, and 2 x multiply-accumulates at the input size in 1e9."""


@dataclass(frozen=True)
class LoadedSpotter:
    """A spotter and what can be done with its kind.

    Attributes:
        open_thresholds: makes the spotter give out words and texts with low scores too, for thresholds to be applied
            afterwards. The graph of an exported model still leaves out what was below its threshold at export.
        measure_size: measures the network; None where no work dir says what it is.
        fold_case: upper and lower case are one to it.
    """

    spotter: "AnySpotter"
    open_thresholds: Callable[[], None]
    measure_size: Callable[[], Size | None]
    fold_case: bool = True

    def tiled(self) -> "LoadedSpotter":
        """The same, reading large images tile by tile too."""
        from text_spotting.runtime.tiles import TiledSpotter

        inner: Any = self.spotter
        return replace(self, spotter=TiledSpotter(inner, inner.manifest.input_size))


def load_spotter(
    weights: Path, config: Path | None, device: str | None, trust: bool = False, precision: str | None = None
) -> LoadedSpotter:
    """Load a checkpoint with PyTorch, or an exported model with OpenVINO or ONNX Runtime.

    Args:
        config: model configuration; by default the one of the work dir that the script lies in.
        device: None for the default of the framework.
        trust: let a checkpoint run code while it is loaded.
        precision: what an OpenVINO model computes in; None for float32, as snapshots do.

    Raises:
        UserError: the file is missing, of no known kind, or does not fit.
    """
    if not weights.exists():
        raise UserError(f"--load-weights: {weights} does not exist")
    if precision and weights.suffix in (CHECKPOINT, ".onnx"):
        raise UserError(f"--precision: {weights} always computes in f32; only OpenVINO models (.xml, .bin) can do else")
    if weights.suffix in EXPORTED or weights.is_dir():
        return _load_exported(weights, config, device, precision)
    if weights.suffix == CHECKPOINT:
        return _load_checkpoint(weights, config, device, trust)
    known = ", ".join((CHECKPOINT, *EXPORTED))
    raise UserError(f"--load-weights: {weights} is of no known kind; expected a file ending in {known}")


def _load_exported(weights: Path, config: Path | None, device: str | None, precision: str | None) -> LoadedSpotter:
    from text_spotting.runtime.spotter import Spotter
    from text_spotting.workdir.paths import beside_script, load_work_config

    spotter = Spotter(weights, device or "CPU", precision or "f32")
    settings = load_work_config(config) if config or beside_script() else None
    return LoadedSpotter(
        spotter, partial(_open_exported, spotter), partial(_network_size, settings), spotter.manifest.fold_case
    )


def _load_checkpoint(weights: Path, config: Path | None, device: str | None, trust: bool) -> LoadedSpotter:
    import torch

    from text_spotting.engine.torch_spotter import spotter_from_checkpoint
    from text_spotting.workdir.paths import load_work_config

    settings = load_work_config(config)
    place = torch.device(device.lower() if device else "cuda" if torch.cuda.is_available() else "cpu")
    spotter = spotter_from_checkpoint(settings, weights, place, trust)
    return LoadedSpotter(
        spotter, partial(_open_checkpoint, spotter), partial(_network_size, settings), spotter.manifest.fold_case
    )


def _open_exported(spotter: "Spotter") -> None:
    spotter.manifest = replace(spotter.manifest, score_thr=0.0, text_thr=0.0, word_thr=0.0)


def _open_checkpoint(spotter: "Spotter") -> None:
    engine: Any = spotter.engine
    settings = engine.network.test_cfg
    settings.rcnn.score_thr = LOWEST_SCORE
    spotter.manifest = replace(spotter.manifest, score_thr=LOWEST_SCORE, text_thr=0.0, word_thr=0.0)


def _network_size(settings: Any) -> Size | None:
    """Build the configuration's network, weights aside, and measure it; None without configuration or PyTorch."""
    if settings is None:
        return None
    try:
        from text_spotting.engine.torch_spotter import build_network
        from text_spotting.models.complexity import complexity, trainable_parameters
    except ModuleNotFoundError:
        return None
    network = build_network(settings)
    return trainable_parameters(network) / 1e6, complexity(network, tuple(settings.input_size))
