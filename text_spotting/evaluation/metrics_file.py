"""``metrics.yaml``: what was measured on which file, in the form that readers of the older toolkit know."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from text_spotting.errors import UserError
from text_spotting.evaluation.characters import Reading, score_readings
from text_spotting.evaluation.cropped import alphanumeric
from text_spotting.evaluation.runs import Metric
from text_spotting.files.writing import write_whole
from text_spotting.files.yaml_files import load_yaml

Entry = dict[str, Any]
"""One metric: display_name, key, unit, value."""


def size_entries(size: tuple[float, float] | None) -> list[Entry]:
    """Entries for trainable parameters in millions and for 2 x multiply-accumulates in 1e9; none where not known."""
    if size is None:
        return []
    parameters_m, gflops = size
    return [
        {"display_name": "Size", "key": "size", "unit": "Mp", "value": round(parameters_m, 2)},
        {"display_name": "Complexity", "key": "complexity", "unit": "GFLOPs", "value": round(gflops, 1)},
    ]


def score_entries(metrics: Mapping[str, Metric]) -> list[Entry]:
    """Entries for harmonic means in per cent, rounded to 3 digits, in the order given."""
    return [
        {"display_name": metric.title, "key": name, "unit": "%", "value": round(metric.score.hmean * 100, 3)}
        for name, metric in metrics.items()
    ]


def reading_entries(readings: Sequence[Reading], fold_case: bool = True) -> list[Entry]:
    """Entries for cropped words, letters and digits only, case apart."""
    score = score_readings(alphanumeric(readings), fold_case)
    rate = round(score.character_error_rate * 100, 3)
    return [
        {"display_name": "Word accuracy", "key": "word_accuracy", "unit": "%", "value": round(score.accuracy * 100, 3)},
        {"display_name": "Character error rate", "key": "character_error_rate", "unit": "%", "value": rate},
    ]


def file_entry(path: Path) -> Entry:
    """Name, hash, size and place of the file that was evaluated; a link is followed."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"name": path.name, "sha256": digest, "size": path.stat().st_size, "source": str(path)}


def update_metrics_file(path: Path, files: Iterable[Path], metrics: list[Entry]) -> None:
    """Write the two lists; other keys of a file that is already there are kept.

    Raises:
        UserError: the file there is not a YAML mapping, or the place cannot be written.
    """
    content = read_metrics_file(path)
    content.update(files=[file_entry(file) for file in files], metrics=metrics)
    write_whole(path, yaml.safe_dump(content, allow_unicode=True))


def read_metrics_file(path: Path) -> Entry:
    """Return what the file holds; nothing where there is none.

    Raises:
        UserError: it is not a YAML mapping.
    """
    if not path.exists():
        return {}
    try:
        content = load_yaml(path)
    except UserError as error:
        raise UserError(f"{path} is there but cannot be read ({error}); remove it", about="save_metrics_to") from error
    if not isinstance(content, dict | None):
        raise UserError(f"{path} is there but holds no mapping; remove it or choose another", about="save_metrics_to")
    return content or {}
