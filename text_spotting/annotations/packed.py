"""Very many annotated images in a few arrays, which processes that load images share instead of copying."""

import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from text_spotting.annotations.dataset_file import expand_pattern, read_datasets, split_paths
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.words import FloatArray, Word

_LARGE = 20_000_000
"""Bytes of annotation files above which another process reads them and takes the memory of reading with it."""


@dataclass(frozen=True, slots=True, eq=False)
class Strings:
    """Strings end to end in one array of UTF-8 bytes.

    Attributes:
        data: (bytes,).
        ends: (n,) where each one ends.
    """

    data: NDArray[np.uint8]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Strings":
        encoded = [text.encode(errors="surrogateescape") for text in texts]
        data = np.frombuffer(b"".join(encoded), np.uint8)
        return cls(data, np.cumsum([len(one) for one in encoded], dtype=np.int64))

    def __getitem__(self, index: int) -> str:
        start = int(self.ends[index - 1]) if index else 0
        return self.data[start : int(self.ends[index])].tobytes().decode(errors="surrogateescape")


@dataclass(frozen=True, slots=True, eq=False)
class PackedImages(Sequence[AnnotatedImage]):
    """What training needs of annotated images: where they are, their words' polygons, texts and don't-care marks.

    A forked process shares the arrays with its parent for as long as nobody writes to them, which counting the
    references of a million Python objects would do.

    Attributes:
        paths: of the images.
        sizes: (n, 2) width, height.
        words: (n + 1,) first word of each image.
        points: (w + 1,) first corner of each word.
        corners: (p, 2) x, y.
        texts: of the words.
        ignored: (w,) whether a word is don't care.
    """

    paths: Strings
    sizes: NDArray[np.int32]
    words: NDArray[np.int64]
    points: NDArray[np.int64]
    corners: FloatArray
    texts: Strings
    ignored: NDArray[np.bool_]

    @classmethod
    def of(cls, images: Sequence[AnnotatedImage]) -> "PackedImages":
        """Pack images."""
        words = [word for image in images for word in image.words]
        corners = [word.polygon for word in words]
        return cls(
            Strings.of(str(image.path) for image in images),
            np.array([(image.width, image.height) for image in images], np.int32).reshape(-1, 2),
            _starts(len(image.words) for image in images),
            _starts(len(polygon) for polygon in corners),
            np.concatenate(corners) if corners else np.zeros((0, 2), np.float32),
            Strings.of(word.text for word in words),
            np.array([word.ignore for word in words], np.bool_),
        )

    def __len__(self) -> int:
        return len(self.sizes)

    @overload
    def __getitem__(self, index: int) -> AnnotatedImage: ...
    @overload
    def __getitem__(self, index: slice) -> list[AnnotatedImage]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        width, height = map(int, self.sizes[index])
        return AnnotatedImage(Path(self.paths[index]), width, height, PackedWords(self, index))

    def word(self, number: int) -> Word:
        """The word of that number among all."""
        polygon = self.corners[self.points[number] : self.points[number + 1]]
        return Word(polygon, self.texts[number], ignore=bool(self.ignored[number]))


@dataclass(frozen=True, slots=True, eq=False)
class PackedWords(Sequence[Word]):
    """The words of one packed image, made when they are asked for."""

    images: PackedImages = field(repr=False)
    image: int

    def __len__(self) -> int:
        return int(self.images.words[self.image + 1] - self.images.words[self.image])

    @overload
    def __getitem__(self, index: int) -> Word: ...
    @overload
    def __getitem__(self, index: slice) -> list[Word]: ...
    def __getitem__(self, index: int | slice) -> Any:
        numbers = range(int(self.images.words[self.image]), int(self.images.words[self.image + 1]))[index]
        return self.images.word(numbers) if isinstance(numbers, int) else [self.images.word(one) for one in numbers]

    def __iter__(self) -> Iterator[Word]:
        return (self[index] for index in range(len(self)))


def _starts(lengths: Iterable[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(list(lengths), dtype=np.int64)]).astype(np.int64)


def read_packed(ann_files: str | Sequence[str | Path], data_roots: str | Sequence[str | Path]) -> PackedImages:
    """As ``read_datasets``, packed; files that have not changed since are not read twice.

    Raises:
        UserError: as ``read_datasets``.
    """
    files = [file.stat() for pattern in split_paths(ann_files) for file in expand_pattern(pattern)]
    state = tuple((file.st_size, file.st_mtime_ns) for file in files)
    return _read_packed(_hashable(ann_files), _hashable(data_roots), state)


def _hashable(items: str | Sequence[str | Path]) -> str | tuple[str, ...]:
    return items if isinstance(items, str) else tuple(map(str, items))


@lru_cache(maxsize=4)
def _read_packed(
    ann_files: str | tuple[str, ...], data_roots: str | tuple[str, ...], state: tuple[tuple[int, int], ...]
) -> PackedImages:
    small = sum(size for size, _ in state) < _LARGE
    if small or "fork" not in multiprocessing.get_all_start_methods():
        return _pack(ann_files, data_roots)
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as elsewhere:
        return elsewhere.submit(_pack, ann_files, data_roots).result()


def _pack(ann_files: str | tuple[str, ...], data_roots: str | tuple[str, ...]) -> PackedImages:
    return PackedImages.of(read_datasets(ann_files, data_roots))
