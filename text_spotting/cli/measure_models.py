"""From what ``measure.py --load-weights`` names to a spotter and its recognisers."""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from text_spotting.errors import UserError

if TYPE_CHECKING:
    from text_spotting.evaluation.broad.measuring import Model, NamedReader

RAPIDOCR = "rapidocr"
CHECKPOINT = ".pth"
COLORS = 3
PRECISION = "f32"
"""Snapshots compute in it; half precision is another question, which ``eval.py`` answers."""


def open_model(args: argparse.Namespace, cache: Path) -> "Model":
    """What is to be measured, with its own recognisers and those that ``--add-readers`` names.

    Args:
        cache: folder that keeps exported snapshots.

    Raises:
        UserError: there is no such model, or what it needs is not installed.
    """
    own = _open(args, args.load_weights, cache)
    added = [reader for name in args.add_readers for reader in _renamed(name, _open(args, name, cache).readers)]
    spotter = None if args.readers_only else own.spotter
    return replace(own, spotter=spotter, readers=[*own.readers, *added])


def _renamed(source: str, readers: "Sequence[NamedReader]") -> "list[NamedReader]":
    """Recognisers of another model, told from the measured one's by where they come from."""
    if source == RAPIDOCR:
        return list(readers)
    path = Path(source)
    label = path.stem if path.suffix == CHECKPOINT else path.name
    return [replace(reader, name=f"{reader.name} of {label}") for reader in readers]


def _open(args: argparse.Namespace, source: str, cache: Path) -> "Model":
    if source == RAPIDOCR:
        return _rapidocr()
    weights = Path(source)
    if not weights.exists():
        raise UserError(f"{weights} does not exist; name a snapshot (.pth), an exported model, or {RAPIDOCR}")
    if weights.suffix == CHECKPOINT:
        return _open_snapshot(args, weights, cache)
    return _open_exported(weights, args.streams)


def _rapidocr() -> "Model":
    from text_spotting.evaluation.broad import rapid
    from text_spotting.evaluation.broad.measuring import Model, NamedReader
    from text_spotting.evaluation.broad.readers import NativeReader

    identity = f"rapidocr {rapid.version()}"
    reader = NamedReader(RAPIDOCR, identity, NativeReader(rapid.recognise))
    return Model(identity, rapid.spot, [reader])


def _open_snapshot(args: argparse.Namespace, weights: Path, cache: Path) -> "Model":
    """A snapshot by way of its export, which is kept under all that it follows from."""
    config_file = _config_of(args, weights)
    from text_spotting.engine.torch_spotter import load_network
    from text_spotting.evaluation.broad.store import code_hash, hash_of
    from text_spotting.export.export import ExportOptions, export, plain_manifest
    from text_spotting.workdir.config import load_config

    config = load_config(config_file)
    identity = hash_of((weights.read_bytes(), config.pretty_text.encode()))
    folder = cache / f"measured-{hash_of((identity.encode(), code_hash().encode()))[:16]}"
    if not folder.is_dir():
        network = load_network(config, weights, args.trust_snapshot)
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".measured-") as scratch:
            export(network, plain_manifest(config), Path(scratch) / "export", ExportOptions(onnx=False))
            (Path(scratch) / "export").replace(folder)
    return _open_exported(folder, args.streams, identity)


def _open_exported(exported: Path, streams: int, identity: str = "") -> "Model":
    """An exported model; ``identity`` is that of its files unless it is known by something else."""
    from text_spotting.evaluation.broad.measuring import Model
    from text_spotting.evaluation.broad.store import hash_of
    from text_spotting.runtime.files import find_detector
    from text_spotting.runtime.spotter import Spotter

    detector = find_detector(exported)
    if detector.suffix != ".xml":
        raise UserError(f"{detector}: measuring takes the OpenVINO model (.xml); export it with --openvino")
    files = sorted(file for file in detector.parent.glob(f"{detector.stem}*") if file.suffix in (".xml", ".bin"))
    identity = identity or hash_of(file.read_bytes() for file in files)
    spotter = Spotter(detector, precision=PRECISION, streams=streams)
    readers = _own_readers(spotter.engine, identity)
    return Model(identity, spotter, readers, streams, spotter.manifest.fold_case)


def _own_readers(engine: Any, identity: str) -> "list[NamedReader]":
    """The model's recognisers that can read crops; one that reads features of its detector cannot."""
    from text_spotting.evaluation.broad.measuring import NamedReader
    from text_spotting.evaluation.broad.readers import AttentionReader, BothReader, CtcReader, Reader
    from text_spotting.runtime.reading import read_features

    channels, height, width = engine.text_feature_shape
    if channels != COLORS:
        print("its decoder reads features of its detector, not crops: it cannot be measured alone")
        return []
    attention = AttentionReader(partial(read_features, engine), (height, width), engine.manifest)
    found: dict[str, Reader] = {"attention": attention}
    if getattr(engine.manifest, "recognizer", ""):
        ctc = CtcReader(engine.recognize, engine.manifest)
        found.update(ctc=ctc, both=BothReader(ctc, attention))
    return [NamedReader(name, identity, reader, engine.manifest.fold_case) for name, reader in found.items()]


def _config_of(args: argparse.Namespace, weights: Path) -> Path:
    """A snapshot's configuration: the one given, the one beside it, or the work dir's."""
    from text_spotting.workdir.paths import beside_script

    beside = weights.parent / "model.py"
    if args.config or beside.is_file():
        return Path(args.config or beside)
    if work_dir := beside_script():
        return work_dir.config_file
    raise UserError(f"{weights}: no model.py beside it; name its configuration with --config")
