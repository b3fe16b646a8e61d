"""PP-OCRv6's recogniser as a teacher: what it sees in each column of a word (knowledge distillation)."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from text_spotting.alphabet import START, STOP, SYMBOLS
from text_spotting.models.ppocr import RECOGNISER, model_file

HEIGHT = 48
COLUMN = 8
"""Height of the words that the teacher reads, and width of one of its columns, in pixels."""


class Teacher:
    """Probabilities of symbols in each column of a word (Hinton et al. 2015, arXiv 1503.02531).

    Its thousands of characters are added up to ours: both cases of a letter to one, whatever else to CTC's blank, for
    which ``START`` serves. It runs on one thread in the precision that OpenVINO prefers.

    Args:
        columns: columns that a word is seen in.
    """

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.path = model_file(RECOGNISER)

    def __call__(self, inputs: Tensor) -> Tensor:
        """(N, 3, h, w) uint8 BGR to probabilities (N, columns, symbols)."""
        pixels = F.interpolate(inputs.float(), (HEIGHT, self.columns * COLUMN), mode="bilinear", align_corners=False)
        seen = self._network(pixels.div(127.5).sub(1).cpu().numpy())[0]
        return torch.from_numpy(seen).matmul(self._merging).to(inputs.device)

    @cached_property
    def _network(self) -> Any:
        import openvino as ov

        model = ov.Core().read_model(self.path)
        model.reshape([-1, 3, HEIGHT, self.columns * COLUMN])
        return ov.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": 1})

    @cached_property
    def _merging(self) -> Tensor:
        return torch.from_numpy(merging(characters(self.path)))


def characters(path: Path) -> list[str]:
    """What the outputs of a packaged recogniser stand for; the first is the blank."""
    import onnx

    stored = {entry.key: entry.value for entry in onnx.load(str(path)).metadata_props}
    return ["", *stored["character"].split("\n"), " "]


def merging(found: list[str]) -> NDArray[np.float32]:
    """Which of our symbols each character adds to: (characters, symbols), one 1 a row."""
    ours = {symbol: index for index, symbol in enumerate(SYMBOLS) if index > STOP}
    matrix = np.zeros((len(found), len(SYMBOLS)), np.float32)
    matrix[np.arange(len(found)), [ours.get(character.lower(), START) for character in found]] = 1
    return matrix


def collapse(columns: Tensor) -> list[list[int]]:
    """The symbols that columns (N, L, symbols) spell by CTC's rule: repeats are one, blanks are none."""
    best = columns.argmax(dim=2)
    before = F.pad(best[:, :-1], (1, 0), value=START)
    spelt = (best != START) & (best != before)
    return [row[keep].tolist() for row, keep in zip(best, spelt, strict=True)]


def agreeing(columns: Tensor, targets: Tensor) -> Tensor:
    """Which words (N,) are spelt by the columns as their targets (N, T) are."""
    wanted = [[symbol for symbol in row if symbol not in (START, STOP)] for row in targets.tolist()]
    spelt = collapse(columns)
    return torch.tensor([own == true for own, true in zip(spelt, wanted, strict=True)], device=targets.device)
