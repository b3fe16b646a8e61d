"""From a configuration to a finished training run."""

import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import get_world_size
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner

import text_spotting.data
import text_spotting.engine.lr_find
import text_spotting.models  # noqa: F401  (these register what configurations name)
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.engine import state
from text_spotting.engine.checkpoints import load_some_weights, load_weights
from text_spotting.engine.console import quieten
from text_spotting.engine.loops import Interrupted
from text_spotting.engine.optim import CHECKED, bfloat16_is_fast
from text_spotting.engine.snapshot_files import Checkpoint
from text_spotting.engine.state import network_of
from text_spotting.engine.symbols import carry_over
from text_spotting.engine.torch_spotter import manifest_of, torch_spotter
from text_spotting.engine.trackers import TrackerHook
from text_spotting.errors import UserError
from text_spotting.files.writing import sweep
from text_spotting.locks import HeldError, lock
from text_spotting.models.processes import share_norms
from text_spotting.workdir.config import import_custom_modules, mistakes_about
from text_spotting.workdir.settings import fill_in

LOGGER = logging.getLogger(__name__)


Start = Callable[[Runner], None]
"""What a run begins with, once network and optimizer exist."""


class SpottingRunner(Runner):
    """mmengine's runner, starting from a snapshot that has been read and checked beforehand."""

    start: Start | None = None

    def load_or_resume(self) -> None:
        if self.start is not None:
            self.start(self)

    def build_model(self, model: Any) -> torch.nn.Module:
        with mistakes_about("model"):
            return super().build_model(model)

    def build_train_loop(self, loop: Any) -> Any:
        with mistakes_about("train_dataloader, or train_cfg,"):
            return super().build_train_loop(loop)

    def build_logger(self, *args: Any, **kwargs: Any) -> Any:
        """With a console that is told what people want to know, while the file gets all."""
        logger = super().build_logger(*args, **kwargs)
        quieten(logger)
        return logger

    def build_optim_wrapper(self, optim_wrapper: Any) -> OptimWrapper:
        """With steps that are checked, and without a line for every parameter."""
        if isinstance(optim_wrapper, dict):
            kind = optim_wrapper.get("type", "OptimWrapper")
            optim_wrapper = dict(optim_wrapper, type=CHECKED.get(kind, kind))
        level = self.logger.level
        self.logger.setLevel(logging.ERROR)
        with mistakes_about("optim_wrapper"):
            built = super().build_optim_wrapper(optim_wrapper)
        self.logger.setLevel(level)
        return built

    def build_param_scheduler(self, scheduler: Any) -> Any:
        with mistakes_about("param_scheduler"):
            return super().build_param_scheduler(scheduler)

    def register_hooks(self, *args: Any, **kwargs: Any) -> None:
        with mistakes_about("custom_hooks, or default_hooks,"):
            super().register_hooks(*args, **kwargs)

    def wrap_model(self, model_wrapper_cfg: dict | None, model: torch.nn.Module) -> torch.nn.Module:
        """Convolutions run fastest with channels last, on CPUs by far."""
        fast: Any = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if not self.distributed or torch.cuda.is_available():
            return super().wrap_model(model_wrapper_cfg, fast)
        share_norms(fast)
        return MMDistributedDataParallel(module=fast, broadcast_buffers=False)


def from_weights(checkpoint: Checkpoint, source: str) -> Start:
    """Start a new run from the weights of a snapshot; one of another alphabet gives all but the rows of new symbols."""
    return lambda runner: load_weights(network_of(runner), _carried_over(runner, checkpoint, source), source)


def _carried_over(runner: Runner, checkpoint: Checkpoint, source: str) -> Checkpoint:
    fitting, carried = carry_over(network_of(runner), checkpoint)
    if carried:
        runner.logger.info("%s reads another alphabet; %s", source, carried)
    return fitting


def from_some_weights(checkpoint: Checkpoint, source: str) -> Start:
    """Start a new run from what weights a snapshot has; the other parts begin anew."""

    def start(runner: Runner) -> None:
        fitting = _carried_over(runner, checkpoint, source)
        if missing := load_some_weights(network_of(runner), fitting, source):
            runner.logger.warning(f"{source} lacks {missing}: these begin anew")

    return start


def from_state(checkpoint: Checkpoint, source: str) -> Start:
    """Go on where a snapshot's run stopped."""

    def start(runner: Runner) -> None:
        runner.train_loop.validation_due = state.resume(runner, checkpoint, source)
        if runner.epoch >= runner.max_epochs and not runner.train_loop.validation_due:
            LOGGER.warning(
                "%s has finished %d epochs already and %d are asked for: nothing to train",
                source,
                runner.epoch,
                runner.max_epochs,
            )

    return start


@contextmanager
def output_folder(path: Path) -> Iterator[None]:
    """Make the folder of a run and keep other runs out of it.

    Only the first process of a run takes the lock; the others belong to it.

    Raises:
        UserError: it cannot be written, or another training writes there.
    """
    if int(os.environ.get("RANK", "0")):
        yield
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
        with lock(path / ".lock"):
            sweep(path, ".*.tmp")
            yield
    except HeldError as error:
        raise UserError(
            f"another training writes into {path} ({error}); wait for it, stop it, or choose another folder",
            about="save_checkpoints_to",
        ) from error
    except OSError as error:
        raise UserError(f"cannot write into {path} ({error.strerror or error})", about="save_checkpoints_to") from error


def build_runner(
    config: Config,
    work_dir: Path,
    start: Start | None = None,
    validation: Sequence[AnnotatedImage] = (),
    launcher: str = "none",
) -> SpottingRunner:
    """Put a run together.

    Args:
        config: a template's configuration with ``train_dataloader`` filled in; what else it leaves out is built in.
        start: what to do once network and optimizer exist, see ``from_weights`` and ``from_state``.
        validation: labelled images to measure on; none leaves validation out.
    """
    import_custom_modules(config)
    fill_in(config)
    arguments: dict[str, Any] = {}
    if launcher != "none":
        _share_work(config)
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
        randomness={"seed": config.seed, "diff_rank_seed": launcher != "none"},
        default_scope="mmdet",
        cfg=config,
        **arguments,
    )
    runner.start = start
    return runner


def _share_work(config: Config) -> None:
    """Settings of a run in several processes."""
    if torch.cuda.is_available():
        config.sync_bn = "torch"
    elif not torch.distributed.is_initialized():
        torch.distributed.init_process_group("gloo")  # mmengine would look for a GPU first


def train(runner: SpottingRunner) -> bool:
    """Run to the end; False when a signal ended it early, with the state saved.

    Raises:
        UserError: nothing can be written any more, a batch was not finite, or another process of the run ended.
    """
    try:
        runner.train()
        if get_world_size() > 1:
            torch.distributed.destroy_process_group()
    except Interrupted:
        return False
    except OSError as error:
        raise UserError(
            f"training stopped: cannot write into {runner.work_dir} ({error.strerror or error}); what was saved there "
            "before is whole. Make room, then resume from the newest snapshot"
        ) from error
    except RuntimeError as error:
        if get_world_size() == 1 or not _is_about_others(error):
            raise
        ended = "training stopped: another process of this run ended; resume from the newest snapshot"
        if runner.train_loop.asked_to_stop:
            runner.logger.error(ended)
            return False
        raise UserError(ended) from error
    finally:
        _end_loading()
        for hook in runner.hooks:
            if isinstance(hook, TrackerHook):
                hook.end()
    return True


def _is_about_others(error: RuntimeError) -> bool:
    """Whether talking to the other processes of a run failed."""
    return isinstance(error, torch.distributed.DistError) or "gloo" in str(error).lower()


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
