"""Teaching a reader where words meet, so that what was found as one word can be taken apart.

Only the ``Separator`` of the CTC classifier learns; the network stays as it is. Its examples need no transcription: two
or three words of an image that follow one another on a line are read in one frame, as if they had been found as one,
and the outlines tell where they meet. Words alone show what does not part them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from text_spotting.alphabet import START, STOP
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.data.neighbours import gaps_in, joined, rows_of_words
from text_spotting.decoding import MEET
from text_spotting.engine.symbols import text_head_of
from text_spotting.errors import UserError
from text_spotting.frames import FrameJitter, cut_out, reading_frame
from text_spotting.image_files import read_image
from text_spotting.manifest import Manifest
from text_spotting.models.ctc import Separator
from text_spotting.preprocess import normalise
from text_spotting.runtime.reading import HEIGHT, WIDTHS, crop_widths, shape_of
from text_spotting.words import FloatArray, Image, Word

LOWEST = 8.0
"""Height in pixels of words from which on they are learnt from."""
LONGEST = 14.0
"""What is longer than this many times its height is left out: the widest crop would squeeze it."""
_BATCH = 32
_NEAR = 1.5
"""Columns around a gap that teach nothing, for outlines are not that exact."""


class Example(NamedTuple):
    """A word, or several in a row, as the reader is shown it.

    Attributes:
        crop: (32, W, 3) uint8 BGR.
        gaps: where words meet, see ``neighbours.joined``.
    """

    crop: Image
    gaps: Sequence[tuple[float, float]]


class Seen(NamedTuple):
    """What the reader makes of an example.

    Attributes:
        columns: (channels, T) float16 that the separator looks at.
        inside: (T,) whether a column lies between the first and the last character that were read.
        wanted: (T,) 1 where words meet.
        weight: (T,) 0 where an outline does not tell.
        gaps: columns, first and one behind the last, around each gap.
    """

    columns: Tensor
    inside: NDArray[np.bool_]
    wanted: FloatArray
    weight: FloatArray
    gaps: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Tried:
    """How well a separator does on examples that it has not learnt from.

    Attributes:
        gaps, found: places where words meet, and how many of them it sees.
        words, torn: words alone, and how many of them it takes apart.
    """

    gaps: int
    found: int
    words: int
    torn: int

    def __str__(self) -> str:
        return (
            f"words meet in {self.gaps} places, {100 * self.found / max(self.gaps, 1):.1f} % of them seen; "
            f"{self.words} words alone, {100 * self.torn / max(self.words, 1):.1f} % of them taken apart"
        )


def separator_of(network: nn.Module) -> Separator:
    """The part that learns.

    Raises:
        UserError: the network does not read with CTC.
    """
    classifier = getattr(text_head_of(network), "ctc", None)
    if classifier is None:
        raise UserError("this configuration's reader has no CTC classifier; set ctc_weight of its text_head above 0")
    found: Separator = classifier.separator
    return found


def examples(
    images: Iterable[AnnotatedImage], manifest: Manifest, jitter: FrameJitter, seed: int, problems: Problems
) -> Iterator[list[Example]]:
    """Each image's words, alone and in rows; as loosely framed as found ones are, which ``jitter`` tells.

    An image that cannot be read, or is of another size than its annotation says, gives none.
    """
    rng = np.random.default_rng(seed)
    for image in images:
        words = [word for word in image.words if _high_enough(word)]
        polygons = [word.polygon for word in words]
        frames = np.array([reading_frame(polygon) for polygon in polygons], np.float32).reshape(-1, 3, 2)
        # What a don't-care region holds, one word or many, nobody has told. Beside others it shows where they end.
        rows = [[index] for index, word in enumerate(words) if not word.ignore] + rows_of_words(frames)
        found: list[Example] = []
        if rows and (pixels := _pixels(image, problems)) is not None:
            for row in rows:
                members = [polygons[index] for index in row]
                frame = jitter(joined(members)[0] if len(row) > 1 else frames[row[0]], rng)
                if shape_of(frame[None])[0] <= LONGEST:
                    width = int(crop_widths(frame[None], manifest.read_stretch)[0])
                    found.append(Example(cut_out(pixels, frame, (HEIGHT, width)), gaps_in(frame, members)))
        yield found


def _pixels(image: AnnotatedImage, problems: Problems) -> Image | None:
    try:
        pixels = read_image(image.path)
    except UserError as error:
        problems.add_unreadable("image cannot be read: left out", error)
        return None
    if pixels.shape[:2] == (image.height, image.width):
        return pixels
    problems.add("image is of another size than its annotation says: left out", str(image.path))
    return None


def _high_enough(word: Word) -> bool:
    return float(np.linalg.norm(reading_frame(word.polygon)[2])) >= LOWEST


def look_at(network: nn.Module, shown: Iterable[Sequence[Example]], manifest: Manifest) -> Iterator[list[Seen]]:
    """What a network sees of each image's examples; some images late, for crops of like width are read together."""
    waiting: dict[int, list[Example]] = {width: [] for width in WIDTHS}
    for some in shown:
        ready: list[Seen] = []
        for example in some:
            same = waiting[example.crop.shape[1]]
            same.append(example)
            if len(same) == _BATCH:
                ready += _seen(network, same, manifest)
                same.clear()
        yield ready
    yield [seen for rest in waiting.values() if rest for seen in _seen(network, rest, manifest)]


@torch.no_grad()
def _seen(network: nn.Module, shown: Sequence[Example], manifest: Manifest) -> list[Seen]:
    head: Any = text_head_of(network)
    crops = torch.from_numpy(normalise(np.stack([example.crop for example in shown]), manifest))
    columns = head.encoder.columns(crops)
    read = head.ctc.symbols(columns).argmax(dim=2).numpy()
    found = []
    for example, own, path in zip(shown, columns.squeeze(2), read, strict=True):
        characters = np.flatnonzero((path != START) & (path != STOP))
        inside = np.zeros(len(path), bool)
        if len(characters):
            inside[characters[0] + 1 : characters[-1]] = True
        found.append(Seen(own.half(), inside, *targets(example.gaps, len(path))))
    return found


def targets(gaps: Sequence[tuple[float, float]], columns: int) -> tuple[FloatArray, FloatArray, list[tuple[int, int]]]:
    """What a separator should say in each of so many columns, where that counts, and the columns around each gap."""
    places = np.arange(columns) + 0.5
    wanted, weight = np.zeros(columns, np.float32), np.ones(columns, np.float32)
    around = []
    for end, begin in gaps:
        first, last = min(end, begin) * columns, max(end, begin) * columns
        if last < 0 or first > columns:
            continue  # the frame is too tight to show it
        near = (places > first - _NEAR) & (places < last + _NEAR)
        weight[near] = 0
        sure = (places > first) & (places < last)
        sure[int(np.clip((first + last) / 2, 0, columns - 1))] = True
        wanted[sure] = weight[sure] = 1
        rows = np.flatnonzero(near | sure)
        around.append((int(rows[0]), int(rows[-1]) + 1))
    return wanted, weight, around


def train(separator: Separator, seen: Sequence[Seen], passes: float, seed: int) -> Iterator[float]:
    """Fit a separator to what was seen, from nothing on, and yield the loss of each step.

    Args:
        passes: how often each example is shown, on average.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    for layer in (separator.look, separator.judge):
        layer.reset_parameters()
    steps = max(round(passes * len(seen) / _SHOWN), 1)
    separator.requires_grad_(True)
    optimizer = torch.optim.AdamW(separator.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=max(steps, 2))
    batches = _by_length(seen)
    shares = np.array([len(wanted) for _, wanted, _ in batches], float)
    for _ in range(steps):
        columns, wanted, weight = batches[rng.choice(len(batches), p=shares / shares.sum())]
        some = torch.from_numpy(rng.integers(len(wanted), size=_SHOWN))
        logits = separator(columns[some].float().unsqueeze(2))
        loss = F.binary_cross_entropy_with_logits(logits, wanted[some], weight[some])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        yield float(loss.detach())
    separator.requires_grad_(False)


_SHOWN = 64
_RATE = 4e-3


def _by_length(seen: Sequence[Seen]) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Columns (N, channels, T), what is wanted (N, T) and its weight (N, T), for each number of columns."""
    found = []
    for length in sorted({len(one.wanted) for one in seen}):
        same = [one for one in seen if len(one.wanted) == length]
        wanted, weight = (torch.from_numpy(np.stack(part)) for part in zip(*(one[2:4] for one in same), strict=True))
        found.append((torch.stack([one.columns for one in same]), wanted, weight))
    return found


@torch.no_grad()
def try_out(separator: Separator, seen: Iterable[Seen]) -> Tried:
    """Count what a separator sees between the first and the last character."""
    counts = np.zeros(4, int)
    for one in seen:
        meeting = separator(one.columns.float()[None].unsqueeze(2)).sigmoid()[0].numpy()
        meets = (meeting >= MEET) & one.inside
        found = sum(bool(meets[first:last].any()) for first, last in one.gaps)
        counts += [len(one.gaps), found, not one.gaps, not one.gaps and bool(meets.any())]
    return Tried(*(int(count) for count in counts))
