"""The pip package rapidocr as a spotter and as a recogniser, to stand beside ours."""

from collections.abc import Callable, Sequence
from functools import cache
from importlib import metadata
from typing import Any

import numpy as np

from text_spotting.errors import UserError
from text_spotting.words import Image, Word

PACKAGE = "rapidocr"
RAPIDOCR = f"{PACKAGE}==3.10.0"
"""What pip installs to have it."""


def version() -> str:
    """The package's version.

    Raises:
        UserError: it is not installed.
    """
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError as error:
        raise _not_installed() from error


@cache
def engine(threads: int) -> Any:
    """The package with its own models, on OpenVINO.

    Args:
        threads: cores to use; 0 is all.

    Raises:
        UserError: it is not installed.
    """
    try:
        from rapidocr import EngineType, RapidOCR
    except ImportError as error:
        raise _not_installed() from error
    parts = {f"{part}.engine_type": EngineType.OPENVINO for part in ("Det", "Cls", "Rec")}
    cores = {"EngineConfig.openvino.inference_num_threads": threads or -1}
    made = RapidOCR(params={"Global.log_level": "error", **parts, **cores})
    made(np.zeros((48, 96, 3), np.uint8), use_det=False, use_cls=False, use_rec=True)  # loads the recogniser
    return made


def _not_installed() -> UserError:
    return UserError(f"{PACKAGE} is not installed; install it: pip install {RAPIDOCR}")


def spot(image: Image, threads: int = 0) -> list[Word]:
    """The words of an image: the package finds lines and tells where in them words lie."""
    # It remembers the switches of the call before.
    found = engine(threads)(image, use_det=True, use_cls=True, use_rec=True, return_word_box=True)
    if found.boxes is None:
        return []
    return [
        Word(np.array(corners, np.float32), text, float(score), text_score=float(score))
        for line in found.word_results
        for text, score, corners in line
    ]


def reader(threads: int = 0) -> Callable[[Image], tuple[str, float]]:
    """What reads one upright word (H, W, 3) BGR at a time: its text and confidence in 0..1.

    Raises:
        UserError: the package is not installed.
    """
    made = engine(threads)

    def read(word: Image) -> tuple[str, float]:
        found = made(word, use_det=False, use_cls=False, use_rec=True)
        return (str(found.txts[0]), float(found.scores[0])) if found.txts else ("", 0.0)

    return read


def recognise(words: Sequence[Image]) -> list[str]:
    """The texts of upright words (H, W, 3) BGR."""
    from rapidocr.ch_ppocr_rec import TextRecInput

    return list(engine(0).text_rec(TextRecInput(img=list(words), return_word_box=False)).txts)
