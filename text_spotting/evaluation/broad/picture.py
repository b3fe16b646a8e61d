"""Measured models side by side, drawn."""

from collections.abc import Sequence
from pathlib import Path

from text_spotting.evaluation.broad.results import Results
from text_spotting.evaluation.broad.tables import Row, rows

_WIDTH = 0.32
"""Inches for a column with its gap."""
_IN_A_LINE = 14
"""Figures in one line of the picture."""


def draw(models: Sequence[Results], path: Path) -> None:
    """Draw every figure as a column for each model, with its standard error; the folder is there already."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    found = rows(models)
    lines = [found[start : start + _IN_A_LINE] for start in range(0, len(found), _IN_A_LINE)]
    width = max(7.0, _WIDTH * (len(models) + 1) * min(len(found), _IN_A_LINE))
    figure, axes = pyplot.subplots(
        len(lines), 1, figsize=(width, 4.2 * len(lines)), layout="constrained", squeeze=False
    )
    for axis, line in zip(axes[:, 0], lines, strict=True):
        _draw_line(axis, line, [model.label for model in models])
    axes[0, 0].legend(loc="upper left", bbox_to_anchor=(1, 1))
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _draw_line(axis: object, line: Sequence[Row], labels: Sequence[str]) -> None:
    share = 0.8 / len(labels)
    for number, label in enumerate(labels):
        there = [(place, row.columns[number]) for place, row in enumerate(line)]
        places = [place + (number - (len(labels) - 1) / 2) * share for place, column in there if column]
        columns = [column for _, column in there if column]
        values, errors = [100 * one.value for one in columns], [100 * one.error for one in columns]
        axis.bar(places, values, share * 0.95, yerr=errors, capsize=2, label=label)  # type: ignore[attr-defined]
    titles = [f"{row.set_title}\n{row.figure}" for row in line]
    axis.set_xticks(range(len(line)), titles, rotation=35, ha="right", fontsize=7)  # type: ignore[attr-defined]
    axis.set(ylim=(0, 100), ylabel="%")  # type: ignore[attr-defined]
    axis.grid(axis="y", alpha=0.3)  # type: ignore[attr-defined]
