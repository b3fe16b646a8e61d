"""Curves of losses and figures over a training run."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from text_spotting.files.figures import write_figure

LOSSES = ("loss", "loss_rpn_cls", "loss_rpn_bbox", "loss_cls", "loss_bbox", "loss_mask", "loss_text", "loss_ctc")


def read_journal(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Records of a ``log.jsonl`` by kind, ``train`` and ``val``.

    A line cut off by a crash is passed over. Where a run went back to an earlier snapshot, what it did anew counts.
    """
    records: dict[str, list[dict[str, Any]]] = {"train": [], "val": []}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
            earlier = records[record["kind"]]
            while earlier and earlier[-1]["iter"] >= record["iter"]:
                earlier.pop()
        except (ValueError, KeyError, TypeError):
            continue
        earlier.append(record)
    return records


def draw_curves(journal: Path) -> None:
    """Draw ``curves.png`` beside a journal."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not journal.is_file():
        return
    records = read_journal(journal)
    figure = Figure(figsize=(12, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    losses, figures = figure.subplots(1, 2)
    for name in LOSSES:
        points = [(record["iter"], record[name]) for record in records["train"] if name in record]
        if points:
            iterations, values = np.array(points).T
            losses.plot(iterations, smooth(values), label=name.removeprefix("loss_"), linewidth=1.2)
    losses.set(title="training losses (smoothed)", xlabel="iteration", yscale="log")
    for name in sorted({key for record in records["val"] for key in record} - {"kind", "iter", "epoch", "seconds"}):
        points = [(record["iter"], record[name]) for record in records["val"] if name in record]
        figures.plot(*np.array(points).T, marker=".", label=name)
    figures.set(title="validation, hmean in %", xlabel="iteration")
    for axes in (losses, figures):
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(fontsize=8)
    write_figure(journal.with_name("curves.png"), figure, dpi=100)


def smooth(values: np.ndarray, width: int = 9) -> np.ndarray:
    """Running mean over up to ``width`` neighbours; the ends use what there is."""
    kernel = np.ones(min(width, len(values)))
    return np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")
