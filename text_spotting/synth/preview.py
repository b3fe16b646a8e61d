"""Contact sheets: many images at a glance."""

from collections.abc import Sequence

import cv2
import numpy as np

from text_spotting.synth.pixels import as_bytes
from text_spotting.words import Image

_TILE_WIDTH = 480
_COLUMNS = 4
_GAP = 4


def contact_sheet(images: Sequence[Image], columns: int = _COLUMNS, tile_width: int = _TILE_WIDTH) -> Image:
    """Lay images out in rows, each shrunk to ``tile_width``; rows are as tall as their tallest image."""
    tiles = [_tile(image, tile_width) for image in images]
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    return np.vstack([_row(row, columns, tile_width) for row in rows])


def _tile(image: Image, width: int) -> Image:
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return as_bytes(cv2.copyMakeBorder(small, _GAP, 0, _GAP, 0, cv2.BORDER_CONSTANT, value=(255, 255, 255)))


def _row(tiles: Sequence[Image], columns: int, width: int) -> Image:
    row = np.full((max(tile.shape[0] for tile in tiles), columns * (width + _GAP), 3), 255, np.uint8)
    for number, tile in enumerate(tiles):
        row[: tile.shape[0], number * (width + _GAP) : (number + 1) * (width + _GAP)] = tile
    return row
