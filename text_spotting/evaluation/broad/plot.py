"""Measured models side by side, drawn."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from text_spotting.evaluation.broad.results import Results
from text_spotting.evaluation.broad.tables import Row, rows
from text_spotting.files.figures import write_figure

_IN_A_LINE = 3
"""Sets beside each other."""
_SIZE = (5.6, 3.4)
"""Inches of a set's panel."""
_FEWEST = 4
"""Figures that a panel has room for at least, so that single columns are not walls."""


def draw(models: Sequence[Results], path: Path) -> None:
    """Draw a panel for each set: a column with its standard error for every figure of every model.

    Args:
        path: of the file, whose ending names its format.

    Raises:
        UserError: the place cannot be written.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    panels = [(title, list(found)) for title, found in groupby(rows(models), key=lambda row: row.set_title)]
    lines = -(-len(panels) // _IN_A_LINE)
    size = (_SIZE[0] * min(len(panels), _IN_A_LINE), _SIZE[1] * lines)
    figure, axes = pyplot.subplots(
        lines, min(len(panels), _IN_A_LINE), figsize=size, layout="constrained", squeeze=False, sharey=True
    )
    labels = [model.label for model in models]
    for axis, (title, found) in zip(axes.flat, panels, strict=False):
        _draw_panel(axis, title, found, labels)
    for axis in axes.flat[len(panels) :]:
        axis.set_axis_off()
    axes[0, 0].legend(loc="lower left", fontsize=8)
    write_figure(path, figure, dpi=100)
    pyplot.close(figure)


def _narrow(figure: str) -> str:
    """A figure's name in short lines."""
    return figure.removeprefix("read in ").replace(" ", "\n")


def _draw_panel(axis: Any, title: str, found: Sequence[Row], labels: Sequence[str]) -> None:
    share = 0.8 / len(labels)
    for number, label in enumerate(labels):
        there = [(place, row.columns[number]) for place, row in enumerate(found)]
        places = [place + (number - (len(labels) - 1) / 2) * share for place, column in there if column]
        columns = [column for _, column in there if column]
        values, errors = [100 * one.value for one in columns], [100 * one.error for one in columns]
        axis.bar(places, values, share * 0.95, yerr=errors, capsize=2, label=label)
    axis.set_title(title, fontsize=9)
    axis.set_xticks(range(len(found)), [_narrow(row.figure) for row in found], fontsize=7)
    axis.set_xlim(-0.6, max(len(found), _FEWEST) - 0.4)
    axis.set(ylim=(0, 100), ylabel="%")
    axis.grid(axis="y", alpha=0.3)
