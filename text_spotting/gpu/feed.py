"""Rendered images and words for training: other processes draw them, the card takes them.

They go through a folder, best one in memory (``/dev/shm``): each block is a file that appears whole and is deleted when
taken.
"""

import logging
import math
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from text_spotting.alphabet import DEFAULT, Alphabet
from text_spotting.gpu.packing import CANVAS, quad, readable
from text_spotting.gpu.shards import Packed
from text_spotting.synth.generate import DENSE, SceneGenerator, SceneOptions, WordGenerator, WordOptions

LOGGER = logging.getLogger(__name__)
BLOCK = {"scenes": 8, "words": 512}
"""Records in a block, by kind."""
_WAITING = 40
"""Blocks that may lie about before the renderers rest."""
_BY_HAND = 0.1
"""Share of signs and words that are written by hand."""


@dataclass(frozen=True)
class Rendering:
    """What to render.

    Attributes:
        kind: ``scenes`` or ``words``.
        backgrounds: folder of photos to draw on, or None.
        fonts: folder of fonts, or None for those that are installed.
        size: width, height of scenes.
        alphabet: what texts are written in.
    """

    kind: str
    backgrounds: Path | None = None
    fonts: Path | None = None
    size: tuple[int, int] = (960, 672)
    alphabet: Alphabet = DEFAULT


def render_forever(what: Rendering, folder: Path, processes: int, seed: int = 0) -> list[BaseProcess]:
    """Start renderers that fill ``folder`` until they are ended, or their parent is."""
    folder.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    workers: list[BaseProcess] = [
        context.Process(target=_work, args=(what, folder, seed * 1000 + number), daemon=True)
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    return workers


def _work(what: Rendering, folder: Path, number: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for the parent, which ends its renderers
    cv2.setNumThreads(1)
    os.nice(5)
    parent = os.getppid()
    draw = _drawer(what)
    for block in range(1 << 30):
        while len(list(folder.glob("*.npz"))) > _WAITING and os.getppid() == parent:
            time.sleep(0.2)
        if os.getppid() != parent:
            return
        first = (number * 100003 + block) * BLOCK[what.kind] % (1 << 31)
        records = [draw(first + offset) for offset in range(BLOCK[what.kind])]
        write_block(records, folder / f"{number}_{block}.npz")


def _drawer(what: Rendering) -> Callable[[int], Packed]:
    with_what: dict[str, Any] = {
        "backgrounds": what.backgrounds,
        "fonts": () if what.fonts is None else (what.fonts,),
        "alphabet": what.alphabet,
    }
    if what.kind == "words":
        words = WordOptions(height=(8, 64), punctuation=0.06, compounds=0.06, handwritten=_BY_HAND, **with_what)
        return _WordDrawer(WordGenerator(words), what.alphabet)
    options = SceneOptions(size=what.size, words=(6, 24), height=(9, 80), handwritten=_BY_HAND, **with_what)
    dense = replace(DENSE, size=what.size, words=(40, 90), **with_what)
    return _SceneDrawer([SceneGenerator(options)] * 5 + [SceneGenerator(dense)])


class _WordDrawer:
    def __init__(self, generator: WordGenerator, alphabet: Alphabet) -> None:
        self.generator, self.alphabet = generator, alphabet

    def __call__(self, seed: int) -> Packed:
        """The word of a seed; the next one where the alphabet cannot write it."""
        drawn = (self._draw(seed + (more << 24)) for more in count())
        return next(readable(drawn, self.alphabet))

    def _draw(self, seed: int) -> Packed:
        image, word = self.generator(seed)
        factor = min(1.0, CANVAS[0] / image.shape[0], CANVAS[1] / image.shape[1])
        size = tuple(max(1, math.floor(side * factor)) for side in image.shape[1::-1])
        smaller = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if factor < 1 else image
        return Packed(
            "rendered", np.asarray(smaller, np.uint8), quad(word.polygon)[None] * factor, [word.text], [False]
        )


class _SceneDrawer:
    def __init__(self, generators: list[SceneGenerator]) -> None:
        self.generators = generators

    def __call__(self, seed: int) -> Packed:
        scene = self.generators[seed % len(self.generators)](seed)
        polygons = np.array([quad(word.polygon) for word in scene.words], np.float32).reshape(-1, 4, 2)
        return Packed("rendered", scene.image, polygons, [w.text for w in scene.words], [w.ignore for w in scene.words])


def write_block(records: Sequence[Packed], path: Path) -> None:
    """Write a block of rendered records; it appears whole, and need not outlive a power cut: it is read at once."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for index, record in enumerate(records):
        arrays[f"i{index}"] = record.image
        arrays[f"p{index}"] = record.polygons
        arrays[f"g{index}"] = np.array(record.ignore, bool)
        arrays[f"t{index}"] = np.array(record.texts, dtype=str)
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    temporary.rename(path)


def take_blocks(folder: Path, most: int) -> Iterator[Packed]:
    """Yield what lies ready, of at most ``most`` blocks, and delete it."""
    for path in sorted(folder.glob("*.npz"), key=lambda path: path.stat().st_mtime)[:most]:
        with np.load(path) as block:
            for index in range(len(block.files) // 4):
                yield Packed(
                    "rendered",
                    block[f"i{index}"],
                    block[f"p{index}"],
                    block[f"t{index}"].tolist(),
                    block[f"g{index}"].tolist(),
                )
        path.unlink()


def wait_for(ready: Callable[[], bool], refill: Callable[[], None], what: str) -> None:
    """Ask for data until some is there; say now and then that it is missing."""
    told = time.monotonic()
    refill()
    while not ready():
        if time.monotonic() - told > _PATIENCE:
            told = time.monotonic()
            LOGGER.info("waiting for %s", what)
        time.sleep(0.05)
        refill()


_PATIENCE = 10.0
"""Seconds between two lines about data that does not come."""
