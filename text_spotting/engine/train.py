"""From a configuration to a finished training run."""

import logging
import multiprocessing
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner

import text_spotting.data
import text_spotting.engine.lr_find
import text_spotting.engine.trackers
import text_spotting.models  # noqa: F401  (these register what configurations name)
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.engine import checkpoints
from text_spotting.engine.checkpoints import Checkpoint, load_weights
from text_spotting.engine.console import quieten
from text_spotting.engine.hooks import Interrupted
from text_spotting.engine.optim import bfloat16_is_fast
from text_spotting.engine.torch_spotter import manifest_of, torch_spotter
from text_spotting.errors import UserError

LOGGER = logging.getLogger(__name__)


Start = Callable[[Runner], None]
"""What a run begins with, once network and optimizer exist."""


class SpottingRunner(Runner):
    """mmengine's runner, starting from a snapshot that has been read and checked beforehand."""

    start: Start | None = None

    def load_or_resume(self) -> None:
        if self.start is not None:
            self.start(self)

    def build_logger(self, *args: Any, **kwargs: Any) -> Any:
        """With a console that is told what people want to know, while the file gets all."""
        logger = super().build_logger(*args, **kwargs)
        quieten(logger)
        return logger

    def build_optim_wrapper(self, optim_wrapper: Any) -> OptimWrapper:
        """Without a line for every parameter."""
        level = self.logger.level
        self.logger.setLevel(logging.ERROR)
        built = super().build_optim_wrapper(optim_wrapper)
        self.logger.setLevel(level)
        return built

    def wrap_model(self, model_wrapper_cfg: dict | None, model: torch.nn.Module) -> torch.nn.Module:
        """Convolutions run fastest with channels last, on CPUs by far."""
        as_is: Any = model
        return super().wrap_model(model_wrapper_cfg, as_is.to(memory_format=torch.channels_last))


def from_weights(checkpoint: Checkpoint, source: str) -> Start:
    """Start a new run from the weights of a snapshot."""
    return lambda runner: load_weights(runner.model, checkpoint, source)


def from_state(checkpoint: Checkpoint, source: str) -> Start:
    """Go on where a snapshot's run stopped."""

    def start(runner: Runner) -> None:
        # A moving average of the weights takes its own first, and leaves those that it averages.
        checkpoints.resume(runner, checkpoint)
        load_weights(runner.model, checkpoint, source)
        if runner.epoch >= runner.max_epochs:
            LOGGER.warning(
                "%s has finished %d epochs already and --epochs asks for %d: nothing to train",
                source,
                runner.epoch,
                runner.max_epochs,
            )

    return start


def build_runner(
    config: Config,
    work_dir: Path,
    start: Start | None = None,
    validation: Sequence[AnnotatedImage] = (),
    launcher: str = "none",
) -> SpottingRunner:
    """Put a run together.

    Args:
        config: a template's configuration with ``train_dataloader`` filled in.
        start: what to do once network and optimizer exist, see ``from_weights`` and ``from_state``.
        validation: labelled pictures to measure on; none leaves validation out.

    Raises:
        UserError: the work directory cannot be written.
    """
    try:
        work_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--save-checkpoints-to: cannot create {work_dir} ({error.strerror})") from error
    arguments: dict[str, Any] = {}
    if validation:
        arguments = {
            "val_cfg": {"type": "SpottingValLoop"},
            "val_dataloader": list(validation),
            "val_evaluator": lambda network: torch_spotter(network, manifest_of(config)),
        }
    runner = SpottingRunner(
        model=config.model,
        work_dir=str(work_dir),
        train_dataloader=config.train_dataloader,
        train_cfg=config.train_cfg,
        optim_wrapper=config.optim_wrapper,
        param_scheduler=config.param_scheduler,
        default_hooks=dict(config.default_hooks, checkpoint=None, sampler_seed=None),
        custom_hooks=config.custom_hooks,
        env_cfg=config.env_cfg,
        launcher=launcher,
        log_level=config.log_level,
        randomness={"seed": config.seed},
        default_scope="mmdet",
        cfg=config,
        **arguments,
    )
    runner.start = start
    return runner


def train(runner: SpottingRunner) -> bool:
    """Run to the end; False when a signal ended it early, with the state saved."""
    try:
        runner.train()
    except Interrupted:
        return False
    finally:
        _end_loading()
    return True


def _end_loading() -> None:
    """End the loading processes: they leave signals to us, so the interpreter would wait for them for ever."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for worker in multiprocessing.active_children():
        worker.kill()


def use_mixed_precision(config: Config) -> bool:
    """Switch a configuration to float16 on GPUs, to bfloat16 on CPUs that have it; False, untouched, elsewhere."""
    if torch.cuda.is_available():
        config.optim_wrapper.type = "AmpOptimWrapper"
        return True
    if not bfloat16_is_fast():
        return False
    config.optim_wrapper.type = "BFloat16OptimWrapper"
    return True
