"""What a data set is made of: word heights, lengths, shapes and characters."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from text_spotting.annotations.records import AnnotatedImage
from text_spotting.files.figures import write_figure
from text_spotting.geometry import min_area_rect
from text_spotting.words import Word


@dataclass(frozen=True, slots=True)
class Statistics:
    """Figures of a data set.

    Attributes:
        images, words: how many; ``words`` counts those that are to be found, so not the don't care ones.
        dont_care: words neither to be found nor to be counted as false.
        transcribed: words to be found whose text is known.
        heights: pixels, the short side of each word's smallest rectangle, (words,).
        aspects: long side over short side, (words,).
        lengths: characters of each transcribed word, (transcribed,).
        characters: how often each occurs, case as written.
    """

    images: int
    words: int
    dont_care: int
    transcribed: int
    heights: NDArray[np.float64]
    aspects: NDArray[np.float64]
    lengths: NDArray[np.int64]
    characters: Counter[str]

    def __str__(self) -> str:
        return (
            f"{self.images} images, {self.words + self.dont_care} words: "
            f"{self.transcribed} with text, {self.words - self.transcribed} without, {self.dont_care} don't care"
        )


def statistics(images: Sequence[AnnotatedImage]) -> Statistics:
    """Count and measure every word."""
    words = [word for image in images for word in image.words]
    wanted = [word for word in words if not word.ignore]
    texts = [word.text for word in wanted if word.text]
    sides = np.array([_sides(word) for word in wanted], dtype=np.float64).reshape(-1, 2)
    return Statistics(
        images=len(images),
        words=len(wanted),
        dont_care=len(words) - len(wanted),
        transcribed=len(texts),
        heights=sides[:, 0],
        aspects=sides[:, 1] / np.maximum(sides[:, 0], 1e-6),
        lengths=np.array([len(text) for text in texts], dtype=np.int64),
        characters=Counter("".join(texts)),
    )


def save_histograms(figures: Statistics, path: Path, most_characters: int = 72) -> None:
    """Draw heights, aspects, lengths and the commonest characters into one figure (needs matplotlib)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 9), layout="constrained")
    figure.suptitle(str(figures))
    grid = figure.add_gridspec(2, 3)
    for column, (title, values, bins) in enumerate(
        (
            ("word height, pixels", np.clip(figures.heights, 0, 150), np.linspace(0, 150, 51)),
            ("long side over short side", np.clip(figures.aspects, 1, 12), np.linspace(1, 12, 45)),
            ("characters in a word", np.clip(figures.lengths, 0, 30), np.arange(0.5, 31.5)),
        )
    ):
        axes = figure.add_subplot(grid[0, column])
        axes.hist(values, bins=bins.tolist(), color="#3b6ea5")
        axes.set_title(title)
        axes.set_ylabel("words")
    axes = figure.add_subplot(grid[1, :])
    common = sorted(figures.characters.most_common(most_characters))
    axes.bar(range(len(common)), [count for _, count in common], color="#3b6ea5")
    axes.set_xticks(range(len(common)), [_visible(character) for character, _ in common])
    axes.set_title(f"characters ({len(figures.characters)} different)")
    write_figure(path, figure, dpi=90)


def _visible(character: str) -> str:
    """A blank is shown as an open box; a dollar sign would start a formula."""
    return {" ": "\N{OPEN BOX}", "$": r"\$"}.get(character, character)


def _sides(word: Word) -> tuple[float, float]:
    """Short and long side of the smallest rectangle around a word."""
    corners = min_area_rect(word.polygon)
    first, second = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[1])
    return float(min(first, second)), float(max(first, second))
