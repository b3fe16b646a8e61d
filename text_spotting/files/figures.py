"""Figures that matplotlib drew, written whole."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from text_spotting.files.writing import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_figure(path: Path, figure: "Figure", dpi: int) -> None:
    """Write a figure in one piece, in the format that the file's ending names, PNG where it has none.

    Args:
        dpi: pixels per inch of the figure's size.

    Raises:
        UserError: the place cannot be written.
        ValueError: matplotlib does not write that format.
    """
    content = io.BytesIO()
    figure.savefig(content, dpi=dpi, format=path.suffix.lstrip(".") or "png")
    write_whole(path, content.getvalue())
