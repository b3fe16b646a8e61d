"""Snapshots: reading them safely, writing them whole, and taking up training where they left it."""

import pickle
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.runner import Runner
from torch import nn

from text_spotting.errors import UserError

Checkpoint = dict[str, Any]


def read_snapshot(path: str | Path, trust: bool = False) -> Checkpoint:
    """Read a snapshot onto the CPU.

    Args:
        trust: let the file run code while it is unpickled, as old formats may need.

    Returns:
        A dict with at least ``state_dict``; a bare state dict is wrapped.

    Raises:
        UserError: no such file, not a snapshot, cut off, or in need of trust.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"snapshot {path} does not exist")
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=not trust)
    except pickle.UnpicklingError as error:
        if "weights_only" in str(error).lower():
            raise UserError(
                f"{path} holds more than weights and could run code when loaded; "
                "if you trust where it comes from, add --trust-snapshot"
            ) from error
        raise UserError(f"{path} is not a PyTorch snapshot, or is damaged; get it again") from error
    except (RuntimeError, EOFError, OSError, LookupError, ValueError) as error:
        raise UserError(f"{path} is not a PyTorch snapshot, or is cut off; get it again") from error
    if not isinstance(loaded, dict):
        raise UserError(f"{path} is not a snapshot: it holds a {type(loaded).__name__}, not a dict of weights")
    return loaded if "state_dict" in loaded else {"state_dict": loaded}


def write_snapshot(checkpoint: Checkpoint, path: Path) -> None:
    """Write beside the target, then rename, so that a reader never meets half a file."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        torch.save(checkpoint, temporary)
        temporary.replace(path)
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"cannot write {path} ({error}); free some space or choose another --save-checkpoints-to"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def load_weights(model: nn.Module, checkpoint: Checkpoint, source: str | Path) -> None:
    """Load by name; parts that the snapshot lacks keep their initial weights.

    Raises:
        UserError: shapes differ or hardly any name fits, so the snapshot belongs to another template.
    """
    weights = {name.removeprefix("module."): tensor for name, tensor in checkpoint["state_dict"].items()}
    own = model.state_dict()
    differing = [name for name in weights if name in own and own[name].shape != weights[name].shape]
    if differing:
        name = differing[0]
        raise UserError(
            f"{source} is not a snapshot for this template: {name} is {tuple(weights[name].shape)} there, "
            f"{tuple(own[name].shape)} here ({len(differing)} such tensors); use the template that it was made with"
        )
    if not set(weights) & set(own):
        raise UserError(f"{source} is not a snapshot for this template: no tensor's name fits")
    model.load_state_dict(weights, strict=False)


def missing_weights(model: nn.Module, checkpoint: Checkpoint) -> list[str]:
    """Names that the model has and the snapshot lacks."""
    return sorted(set(model.state_dict()) - set(checkpoint["state_dict"]))


def rng_state() -> dict[str, Any]:
    """State of every random number generator, in types that load without trust."""
    version, keys, position, has_gauss, gauss = np.random.get_state()
    numpy_state = (version, [int(key) for key in keys], int(position), int(has_gauss), float(gauss))
    return {"torch": torch.get_rng_state(), "numpy": numpy_state, "python": random.getstate()}


def set_rng_state(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["torch"])
    version, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((version, np.array(keys, dtype=np.uint32), position, has_gauss, gauss))
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))


def training_state(runner: Runner) -> Checkpoint:
    """Everything that an uninterrupted continuation needs; the schedule follows from the position."""
    checkpoint: Checkpoint = {
        "meta": {"epoch": runner.epoch, "iter": runner.iter, "iters_per_epoch": len(runner.train_dataloader)},
        "state_dict": {name: tensor.cpu() for name, tensor in runner.model.state_dict().items()},
        "optimizer": runner.optim_wrapper.state_dict(),
        "rng": rng_state(),
    }
    runner.call_hook("before_save_checkpoint", checkpoint=checkpoint)
    return checkpoint


def resume(runner: Runner, checkpoint: Checkpoint) -> None:
    """Continue training: weights, optimizer, schedule, position in the epoch and random numbers.

    Snapshots of mmcv 1 (``meta``, ``state_dict``, ``optimizer``) continue as well, at the start of an epoch.
    """
    runner._resume = True  # what mmengine's hooks go by
    runner.call_hook("after_load_checkpoint", checkpoint=checkpoint)
    meta = checkpoint.get("meta", {})
    runner.train_loop.start_at(*position(meta, len(runner.train_dataloader)))
    if "optimizer" in checkpoint:
        _restore_optimizer(runner, checkpoint["optimizer"])
    _replay_schedule(runner, int(meta.get("iter", 0)))
    if "rng" in checkpoint:
        set_rng_state(checkpoint["rng"])


def position(meta: dict[str, Any], iters_per_epoch: int) -> tuple[int, int]:
    """Finished epochs and finished iterations, in epochs of ``iters_per_epoch``.

    The place within an epoch means nothing to data of another size; the epoch then starts over.
    """
    epoch = int(meta.get("epoch", 0))
    done_in_epoch = 0
    if meta.get("iters_per_epoch") == iters_per_epoch:
        done_in_epoch = int(meta["iter"]) - epoch * iters_per_epoch
    return epoch, epoch * iters_per_epoch + done_in_epoch


def _restore_optimizer(runner: Runner, state: dict[str, Any]) -> None:
    """Load momenta, but keep the learning rates of this run's configuration."""
    # The wrapper's groups end with one that only tells the rate in logs.
    shown = runner.optim_wrapper.base_param_settings
    rates = [group.get("initial_lr", group["lr"]) for group in runner.optim_wrapper.param_groups]
    try:
        runner.optim_wrapper.load_state_dict(state)
    except (ValueError, KeyError) as error:
        raise UserError(
            f"--resume-from: the snapshot's optimizer does not fit this configuration ({error}); use --load-weights"
        ) from error
    runner.optim_wrapper.base_param_settings = shown
    for group, rate in zip(runner.optim_wrapper.param_groups, rates, strict=True):
        group["initial_lr"] = group["lr"] = rate


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
        for _ in range(0 if config.by_epoch else iterations - runner.iter):
            scheduler.step()


def half_precision(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Floating-point tensors as float16, half the bytes; running variances, which may be large, stay float32."""
    return {
        name: tensor.half() if tensor.is_floating_point() and not name.endswith("running_var") else tensor
        for name, tensor in weights.items()
    }


def mean_of_weights(snapshots: Sequence[tuple[Checkpoint, str, float]]) -> dict[str, torch.Tensor]:
    """Mean of the weights of like networks, float32; what counts, as batch norms do, is the first's.

    Args:
        snapshots: each with its name for people and its weight in the mean, of any sum.

    Raises:
        UserError: they are not of one network, or weights sum up to nothing.
    """
    total = sum(weight for _, _, weight in snapshots)
    if total <= 0:
        raise UserError("weights of a mean must sum up to more than 0")
    first, name, _ = snapshots[0]
    for other, source, _ in snapshots[1:]:
        shapes, others = ({k: v.shape for k, v in one["state_dict"].items()} for one in (first, other))
        if differing := sorted(k for k in shapes.keys() | others.keys() if shapes.get(k) != others.get(k)):
            raise UserError(f"{name} and {source} have no mean: they differ in {differing[0]}, or one lacks it")
    return {key: _mean(key, snapshots, total) for key in first["state_dict"]}


def _mean(key: str, snapshots: Sequence[tuple[Checkpoint, str, float]], total: float) -> torch.Tensor:
    tensors = [snapshot["state_dict"][key] for snapshot, _, _ in snapshots]
    if not tensors[0].is_floating_point():
        return tensors[0]
    parts = [tensor.float() * (weight / total) for tensor, (_, _, weight) in zip(tensors, snapshots, strict=True)]
    return torch.stack(parts).sum(dim=0)
