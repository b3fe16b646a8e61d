"""Draw how the weights of text-spotting-0004-lite came along, from the table in docs/experiments/aims.md.

    python docs/images/aims.py docs/experiments/aims.md --output docs/images/aims.png

A line for every set, a point for every state of the weights that was measured on it.
"""

import argparse
from pathlib import Path

from matplotlib import use

use("Agg")
from matplotlib import pyplot

Row = list[list[float] | None]
FIGURES = ("detection F1, %", "word spotting, %")


def main() -> None:
    """Read and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path, help="the page with the table")
    parser.add_argument("--output", type=Path, required=True, help="the image (.png)")
    args = parser.parse_args()
    draw(*table(args.page.read_text(encoding="utf-8")), args.output)


def table(page: str) -> tuple[list[str], dict[str, Row]]:
    """The states of the weights, and for every set its figures at each; none where it was not measured."""
    lines = page[page.index("| set |") :].split("\n\n", maxsplit=1)[0].splitlines()
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    figures = {
        name: [[float(one) for one in cell.split("/")] if cell else None for cell in cells] for name, *cells in rows
    }
    return header[1:], figures


def draw(states: list[str], sets: dict[str, Row], output: Path) -> None:
    """One panel for each figure."""
    figure, panels = pyplot.subplots(1, len(FIGURES), figsize=(9, 3.6), layout="constrained")
    for index, (axes, title) in enumerate(zip(panels, FIGURES, strict=True)):
        for name, row in sets.items():
            points = [(place, cell[index]) for place, cell in enumerate(row) if cell is not None]
            axes.plot(*zip(*points, strict=True), marker="o", label=name)
        axes.set_xticks(range(len(states)), [state.replace(", ", ",\n").replace(" (", "\n(") for state in states])
        axes.tick_params(axis="x", labelsize=8)
        axes.grid(axis="y", alpha=0.3)
        axes.set(title=title)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(sets), fontsize=8)
    figure.savefig(output, dpi=120)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
