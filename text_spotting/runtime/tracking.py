"""Following words over the frames of a video, so that labels stay calm."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from text_spotting.runtime.flow import View, move_words
from text_spotting.words import Word

Box = tuple[float, float, float, float]


@dataclass(slots=True)
class _Track:
    word: Word
    votes: Counter[str] = field(default_factory=Counter)
    missed: int = 0

    def update(self, word: Word) -> None:
        self.word, self.missed = word, 0
        # An empty text is no opinion.
        if word.text:
            self.votes[word.text] += 1

    def smoothed(self) -> Word:
        text = self.votes.most_common(1)[0][0] if self.votes else ""
        return replace(self.word, text=text)


class WordTracker:
    """Gives every word the text that most of its frames agree on, and bridges frames that miss it.

    Args:
        least_iou: boxes of consecutive looks that overlap at least this much are one word.
        patience: a word is shown until it was missed in more looks than this, one after the other.
    """

    def __init__(self, least_iou: float = 0.3, patience: int = 3) -> None:
        self.least_iou = least_iou
        self.patience = patience
        self._tracks: list[_Track] = []

    def __call__(self, words: Sequence[Word]) -> list[Word]:
        """Return what to show for a frame in which ``words`` were found."""
        rest = list(words)
        pairs = sorted(
            (
                (box_iou(track.word.box, word.box), t, w)
                for t, track in enumerate(self._tracks)
                for w, word in enumerate(rest)
            ),
            reverse=True,
        )
        seen: dict[int, int] = {}
        taken: set[int] = set()
        for overlap, t, w in pairs:
            if overlap >= self.least_iou and t not in seen and w not in taken:
                seen[t] = w
                taken.add(w)
        for t, track in enumerate(self._tracks):
            if t in seen:
                track.update(rest[seen[t]])
            else:
                track.missed += 1
        for w, word in enumerate(rest):
            if w not in taken:
                self._tracks.append(_new_track(word))
        self._tracks = [track for track in self._tracks if track.missed <= self.patience]
        return self._shown()

    def move(self, before: View, after: View) -> list[Word]:
        """Return what to show for a frame in which words were not looked for: where the known ones have gone."""
        moved = move_words([track.word for track in self._tracks], before, after)
        kept = [(track, word) for track, word in zip(self._tracks, moved, strict=True) if word is not None]
        for track, word in kept:
            track.word = word
        self._tracks = [track for track, _ in kept]
        return self._shown()

    def _shown(self) -> list[Word]:
        return [track.smoothed() for track in self._tracks]


def _new_track(word: Word) -> _Track:
    track = _Track(word)
    track.update(word)
    return track


def box_iou(first: Box, second: Box) -> float:
    """Intersection over union of two axis-aligned boxes x1, y1, x2, y2; 0 where one has no area."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    overlap = width * height
    return overlap / (_area(first) + _area(second) - overlap)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
