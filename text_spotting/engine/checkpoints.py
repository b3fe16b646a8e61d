"""Snapshots: reading them safely, writing them whole, and loading their weights."""

import io
import pickle
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from text_spotting.engine.snapshot_files import Checkpoint, check_snapshot_file
from text_spotting.engine.symbols import require_same_alphabet
from text_spotting.errors import UserError
from text_spotting.files.writing import write_whole


def read_snapshot(path: str | Path, trust: bool = False) -> Checkpoint:
    """Read a snapshot onto the CPU.

    Args:
        trust: let the file run code while it is unpickled, as old formats may need.

    Returns:
        A dict with at least ``state_dict``, which holds tensors by the names that they have in a network that nothing
        wraps; a bare state dict is put into such a dict.

    Raises:
        UserError: no such file, not a snapshot, damaged, cut off, or in need of trust.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"snapshot {path} does not exist")
    check_snapshot_file(path, trust)
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=not trust)
    except pickle.UnpicklingError as error:
        if "GLOBAL" in str(error):
            raise UserError(
                f"{path} holds more than weights and could run code when loaded; "
                "if you trust where it comes from, load it with trust",
                about="trust_snapshot",
            ) from error
        raise UserError(f"{path} is not a PyTorch snapshot, or is damaged; get it again") from error
    except Exception as error:  # a damaged pickle is a broken program and can fail in any way
        raise UserError(f"{path} is not a PyTorch snapshot, or is damaged or cut off; get it again") from error
    return _as_checkpoint(loaded, path)


def _as_checkpoint(loaded: Any, path: Path) -> Checkpoint:
    if not isinstance(loaded, dict):
        raise UserError(f"{path} is not a snapshot: it holds a {type(loaded).__name__}, not a dict of weights")
    checkpoint = loaded if "state_dict" in loaded else {"state_dict": loaded}
    if not is_state_dict(checkpoint["state_dict"]):
        raise UserError(f"{path} is not a snapshot: its state_dict is not a dict of tensors by name")
    # Parallel training wraps the network, and snapshots of old tools tell so.
    plain = {name.removeprefix("module."): tensor for name, tensor in checkpoint["state_dict"].items()}
    return {**checkpoint, "state_dict": plain}


def is_state_dict(value: Any) -> bool:
    """Whether it is a dict of dense tensors by name."""
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor) and tensor.layout == torch.strided
        for name, tensor in value.items()
    )


def write_snapshot(checkpoint: Checkpoint, path: Path) -> None:
    """Write in one piece, with a checksum for every tensor and flushed to the disk.

    Raises:
        UserError: weights are not finite, or the place cannot be written.
    """
    if broken := not_finite(checkpoint["state_dict"]):
        raise UserError(f"{path} is not written: weights are not finite ({broken}); lower the learning rate")
    # torch.save hides what the system says when a disk is full.
    written = io.BytesIO()
    torch.save(checkpoint, written)
    try:
        write_whole(path, lambda temporary: temporary.write_bytes(written.getbuffer()))
    except UserError as error:
        message = f"{error}; free some space or choose another folder"
        raise UserError(message, about="save_checkpoints_to") from error


def not_finite(weights: Mapping[str, torch.Tensor]) -> str:
    """Name of the first tensor with NaN or infinity; empty where there is none."""
    return next((name for name, tensor in weights.items() if not bool(torch.isfinite(tensor).all())), "")


def load_weights(model: nn.Module, checkpoint: Checkpoint, source: str | Path) -> None:
    """Load all weights by name.

    Raises:
        UserError: shapes differ, weights lack or are not finite; nothing is loaded then.
    """
    weights = _fitting(model, checkpoint, source)
    if missing := missing_weights(model, checkpoint):
        raise UserError(
            f"{source} is incomplete: it lacks {_some_of(model, missing, checkpoint)}; get it again, or start "
            "a training from what it has, with partial weights"
        )
    model.load_state_dict(weights, strict=False)


def load_some_weights(model: nn.Module, checkpoint: Checkpoint, source: str | Path) -> str:
    """Load by name what the snapshot has; the other parts keep their initial weights.

    Returns:
        What lacks, in words; empty where nothing does.

    Raises:
        UserError: shapes differ, no name fits, or weights are not finite; nothing is loaded then.
    """
    model.load_state_dict(_fitting(model, checkpoint, source), strict=False)
    missing = missing_weights(model, checkpoint)
    return _some_of(model, missing, checkpoint) if missing else ""


def _fitting(model: nn.Module, checkpoint: Checkpoint, source: str | Path) -> dict[str, torch.Tensor]:
    require_same_alphabet(model, checkpoint, source)
    weights: dict[str, torch.Tensor] = checkpoint["state_dict"]
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
    if broken := not_finite(weights):
        raise UserError(f"{source} is useless: {broken} holds NaN or infinity; go back to an earlier snapshot")
    return weights


def missing_weights(model: nn.Module, checkpoint: Checkpoint) -> list[str]:
    """Names that the model has and the snapshot lacks, but for parts that are made to be without."""
    given = set(checkpoint["state_dict"])
    return sorted(set(model.state_dict()) - given - weights_it_can_lack(model, given))


def weights_it_can_lack(model: nn.Module, given: Collection[str]) -> set[str]:
    """Names of weights without which a network does as it did before it had them, of parts that lack altogether."""
    marked = [name for name, module in model.named_modules() if getattr(module, "optional_in_snapshots", False)]
    lacking = tuple(f"{part}." for part in marked if not any(name.startswith(f"{part}.") for name in given))
    return {name for name in model.state_dict() if name.startswith(lacking)} if lacking else set()


def _some_of(model: nn.Module, missing: list[str], checkpoint: Checkpoint) -> str:
    """ "343 of 349 tensors (backbone 206, ...)": what lacks, by part of the network."""
    parts = Counter(".".join(name.split(".")[: 2 if name.startswith("roi_head.") else 1]) for name in missing)
    listed = ", ".join(f"{part} {count}" for part, count in parts.most_common())
    needed = set(model.state_dict()) - weights_it_can_lack(model, checkpoint["state_dict"])
    return f"{len(missing)} of the network's {len(needed)} tensors ({listed})"


def half_precision(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Floating-point tensors as float16, half the bytes; running variances, which may be large, stay float32."""
    return {
        name: tensor.half() if tensor.is_floating_point() and not name.endswith("running_var") else tensor
        for name, tensor in weights.items()
    }


def mean_of_weights(
    snapshots: Sequence[tuple[Checkpoint, str, float]], optional: Collection[str] = ()
) -> dict[str, torch.Tensor]:
    """Mean of the weights of like networks, float32; what counts, as batch norms do, is the first's.

    Args:
        snapshots: each with its name for people and its weight in the mean, of any sum.
        optional: names of weights that some may lack: their mean is over those that have them.

    Raises:
        UserError: they are not of one network, or weights sum up to nothing.
    """
    total = sum(weight for _, _, weight in snapshots)
    if total <= 0:
        raise UserError("weights of a mean must sum up to more than 0")
    first, name, _ = snapshots[0]
    for other, source, _ in snapshots[1:]:
        shapes, others = (
            {k: v.shape for k, v in one["state_dict"].items() if k not in optional} for one in (first, other)
        )
        if differing := sorted(k for k in shapes.keys() | others.keys() if shapes.get(k) != others.get(k)):
            raise UserError(f"{name} and {source} have no mean: they differ in {differing[0]}, or one lacks it")
    names = dict.fromkeys(key for snapshot, _, _ in snapshots for key in snapshot["state_dict"])
    return {key: _mean(key, [one for one in snapshots if key in one[0]["state_dict"]]) for key in names}


def _mean(key: str, snapshots: Sequence[tuple[Checkpoint, str, float]]) -> torch.Tensor:
    total = sum(weight for _, _, weight in snapshots)
    tensors = [snapshot["state_dict"][key] for snapshot, _, _ in snapshots]
    if not tensors[0].is_floating_point():
        return tensors[0]
    parts = [tensor.float() * (weight / total) for tensor, (_, _, weight) in zip(tensors, snapshots, strict=True)]
    return torch.stack(parts).sum(dim=0)
