"""The state of a training run: what a snapshot keeps of it, and going on from there bit for bit."""

import random
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import nn

from text_spotting.engine.checkpoints import is_state_dict, load_weights, not_finite
from text_spotting.engine.snapshot_files import Checkpoint
from text_spotting.engine.symbols import alphabet_of
from text_spotting.errors import UserError

_BROKEN = (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError)
"""How PyTorch and mmengine answer a state of another shape."""


class Position(BaseModel):
    """A snapshot's ``meta``: where in the training it was taken.

    Attributes:
        epoch, iter: finished ones.
        iters_per_epoch: of the run that wrote it; None in snapshots of mmcv 1.
        validation_due: the epoch is finished and not yet measured.
    """

    model_config = ConfigDict(extra="ignore", strict=True)

    epoch: int = Field(0, ge=0, le=10**6)
    iter: int = Field(0, ge=0, le=10**9)
    iters_per_epoch: int | None = Field(None, ge=1, le=10**9)
    validation_due: bool = False


def network_of(runner: Runner) -> nn.Module:
    """The network itself, without what parallel training wraps it in."""
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def training_state(runner: Runner, validation_due: bool = False) -> Checkpoint:
    """Everything that an uninterrupted continuation needs; the schedule follows from the position.

    All processes of a run must call it together; each has random numbers of its own.
    """
    own, *others = all_gather_object(rng_state())
    checkpoint: Checkpoint = {
        "meta": {
            "epoch": runner.epoch,
            "iter": runner.iter,
            "iters_per_epoch": len(runner.train_dataloader),
            "validation_due": validation_due,
            "alphabet": alphabet_of(network_of(runner)).to_dict(),
        },
        "state_dict": {name: tensor.cpu() for name, tensor in network_of(runner).state_dict().items()},
        "optimizer": runner.optim_wrapper.state_dict(),
        "rng": own,
        "rng_of_other_processes": others,
    }
    runner.call_hook("before_save_checkpoint", checkpoint=checkpoint)
    return checkpoint


def resume(runner: Runner, checkpoint: Checkpoint, source: str) -> bool:
    """Continue training: weights, optimizer, schedule, position in the epoch and random numbers.

    Snapshots of mmcv 1 (``meta``, ``state_dict``, ``optimizer``) continue as well, at the start of an epoch.

    Returns:
        Whether the last finished epoch is still to be measured.

    Raises:
        UserError: the snapshot does not fit, or a part of it is of the wrong type.
    """
    where = read_position(checkpoint, source)
    _check_averaged(checkpoint, source)
    runner._resume = True  # what mmengine's hooks go by
    try:
        runner.call_hook("after_load_checkpoint", checkpoint=checkpoint)
    except _BROKEN as error:
        message = f"{source} does not fit this configuration ({error}); load its weights alone"
        raise UserError(message, about="resume_from") from error
    # A moving average of the weights takes its own first, and leaves those that it averages.
    load_weights(network_of(runner), checkpoint, source)
    runner.train_loop.start_at(*position(where, len(runner.train_dataloader)))
    if "optimizer" in checkpoint:
        _restore_optimizer(runner, checkpoint["optimizer"], source)
    if runner.epoch < runner.max_epochs:
        _replay_schedule(runner, where.iter)
    _restore_rng(checkpoint, source)
    return where.validation_due


def read_position(checkpoint: Checkpoint, source: str) -> Position:
    """The snapshot's ``meta``, checked.

    Raises:
        UserError: a value of the wrong type or beyond anything that was ever trained.
    """
    try:
        return Position.model_validate(checkpoint.get("meta", {}))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, ("meta", *first["loc"])))
        message = f"{source} is damaged: {key}: {first['msg']}; load its weights alone"
        raise UserError(message, about="resume_from") from error


def position(where: Position, iters_per_epoch: int) -> tuple[int, int]:
    """Finished epochs and finished iterations, in epochs of ``iters_per_epoch``.

    The place within an epoch means nothing to data of another size; the epoch then starts over.
    """
    done_in_epoch = where.iter - where.epoch * iters_per_epoch
    if where.iters_per_epoch != iters_per_epoch or not 0 <= done_in_epoch <= iters_per_epoch:
        done_in_epoch = 0
    return where.epoch, where.epoch * iters_per_epoch + done_in_epoch


def rng_state() -> dict[str, Any]:
    """State of every random number generator, in types that load without trust."""
    version, keys, place, has_gauss, gauss = np.random.get_state()
    numpy_state = (version, [int(key) for key in keys], int(place), int(has_gauss), float(gauss))
    return {"torch": torch.get_rng_state(), "numpy": numpy_state, "python": random.getstate()}


def set_rng_state(state: dict[str, Any]) -> None:
    """Let torch, numpy and Python go on drawing where ``rng_state`` was taken."""
    torch.set_rng_state(state["torch"])
    version, keys, place, has_gauss, gauss = state["numpy"]
    np.random.set_state((version, np.array(keys, dtype=np.uint32), place, has_gauss, gauss))
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))


def _restore_rng(checkpoint: Checkpoint, source: str) -> None:
    if "rng" not in checkpoint:
        return
    try:
        states = [checkpoint["rng"], *checkpoint.get("rng_of_other_processes", [])]
        if len(states) == get_world_size():
            set_rng_state(states[get_rank()])
    except _BROKEN as error:
        message = f"{source} is damaged: its random numbers do not load ({error})"
        raise UserError(message, about="resume_from") from error


def _check_averaged(checkpoint: Checkpoint, source: str) -> None:
    if "ema_state_dict" not in checkpoint:
        return
    averaged = checkpoint["ema_state_dict"]
    if not is_state_dict(averaged) or not_finite(averaged):
        message = f"{source} is damaged: ema_state_dict holds other things than finite tensors"
        raise UserError(message, about="resume_from")


def _restore_optimizer(runner: Runner, state: Any, source: str) -> None:
    """Load momenta, but keep the learning rates of this run's configuration."""
    # The wrapper's groups end with one that only tells the rate in logs.
    shown = runner.optim_wrapper.base_param_settings
    rates = [group.get("initial_lr", group["lr"]) for group in runner.optim_wrapper.param_groups]
    own = [
        {key: value for key, value in group.items() if key not in ("params", "lr", "initial_lr")}
        for group in runner.optim_wrapper.param_groups
    ]
    try:
        runner.optim_wrapper.load_state_dict(state)
        _check_momenta(runner.optim_wrapper.optimizer)
    except _BROKEN as error:
        raise UserError(
            f"the optimizer in {source} does not fit this configuration ({error}); load the weights alone",
            about="resume_from",
        ) from error
    runner.optim_wrapper.base_param_settings = shown
    for group, rate, settings in zip(runner.optim_wrapper.param_groups, rates, own, strict=True):
        group.update(settings)
        group["initial_lr"] = group["lr"] = rate


def _check_momenta(optimizer: torch.optim.Optimizer) -> None:
    for parameter, momenta in optimizer.state.items():
        for name, value in momenta.items():
            if not isinstance(value, torch.Tensor):
                if value is not None:
                    raise TypeError(f"{name} is a {type(value).__name__}")
                continue
            if value.dim() and value.shape != parameter.shape:
                raise ValueError(f"{name} is {tuple(value.shape)}, its parameter {tuple(parameter.shape)}")
            if not bool(torch.isfinite(value).all()):
                raise ValueError(f"{name} is not finite")


def _replay_schedule(runner: Runner, iterations: int) -> None:
    """Step the schedule to the current position, in the order in which training would have.

    Args:
        iterations: those that the snapshot has seen. Warm-up counts them, while the rest of the schedule counts
            epochs of this run's data.
    """
    for group in runner.optim_wrapper.optimizer.param_groups:
        group["lr"] = group.get("initial_lr", group["lr"])
    runner.param_schedulers = runner.build_param_scheduler(runner.cfg.param_scheduler)
    per_epoch = len(runner.train_dataloader)
    for done in range(1, runner.iter + 1):
        for scheduler in runner.param_schedulers:
            if not scheduler.by_epoch or done % per_epoch == 0:
                scheduler.step()
    for scheduler, config in zip(runner.param_schedulers, runner.cfg.param_scheduler, strict=True):
        end = min(iterations, config.get("end", iterations))  # beyond its end a schedule stands still
        for _ in range(0 if config.by_epoch else end - runner.iter):
            scheduler.step()
