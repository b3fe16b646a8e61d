"""Training data sets: photos with words, images rendered on the fly, and mixtures of both."""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from mmdet.registry import DATASETS
from numpy.random import Generator
from torch.utils.data import Dataset

from text_spotting.alphabet import Alphabet
from text_spotting.annotations.packed import read_packed
from text_spotting.data import transforms
from text_spotting.data.packing import pack
from text_spotting.data.transforms import Sample
from text_spotting.errors import UserError
from text_spotting.image_files import read_image

LOGGER = logging.getLogger(__name__)
Transform = Callable[[Sample, Generator], Sample]


class Source(Protocol):
    """A supply of labelled images."""

    def __len__(self) -> int: ...

    def draw(self, index: int, rng: Generator) -> Sample: ...


@DATASETS.register_module()
class PhotoSource:
    """Photos named by "COCO with text" files.

    Args:
        ann_files, data_roots: see ``read_datasets``.

    An image that cannot be read is reported once and another one takes its place.
    """

    def __init__(self, ann_files: str | Sequence[str], data_roots: str | Sequence[str]) -> None:
        self.images = read_packed(ann_files, data_roots)
        self.broken: set[int] = set()

    def __len__(self) -> int:
        return len(self.images)

    def draw(self, index: int, rng: Generator) -> Sample:
        """The image at ``index``, or the next one that can be read.

        Raises:
            UserError: no image at all can be read.
        """
        for candidate in range(index, index + len(self)):
            annotated = self.images[candidate % len(self)]
            try:
                return Sample(read_image(annotated.path), annotated.words, str(annotated.path))
            except UserError as error:
                self._report(candidate % len(self), error)
        raise UserError(f"none of the {len(self)} training images can be read, the first is {self.images[0].path}")

    def _report(self, index: int, error: UserError) -> None:
        if index in self.broken:
            return
        self.broken.add(index)
        LOGGER.warning("skipped broken image: %s (%d so far)", error, len(self.broken))


@DATASETS.register_module()
class SyntheticSource:
    """Images rendered on the fly; nothing is stored.

    Args:
        length: images in an epoch; every draw renders a new one.
        options: fields of ``synth.generate.SceneOptions``.
    """

    def __init__(self, length: int, **options: Any) -> None:
        from text_spotting.synth.generate import SceneGenerator, SceneOptions

        self.length = length
        self.generator = SceneGenerator(SceneOptions(**options))

    def __len__(self) -> int:
        return self.length

    def draw(self, index: int, rng: Generator) -> Sample:
        number = int(rng.integers(2**31))
        scene = self.generator(number)
        return Sample(scene.image, scene.words, f"rendered image {number}")


@DATASETS.register_module()
class SpottingDataset(Dataset):
    """Labelled images, transformed and packed for the network.

    Args:
        sources: configs of photo or synthetic sources; one may bring ``transforms`` of its own.
        weights: how often each source is drawn from, relative to the others; by default by its length.
        transforms: configs of the transforms in ``data.transforms``, by class name.
        length: samples in an epoch; by default the sources' lengths added up.
        repeat: how many times that is one epoch.
        seed: together with the index it fixes every random choice; indices count on across epochs.
        alphabet: what targets are made of, see ``Alphabet.of``.

    Raises:
        UserError: weights are not as many as sources, or a source cannot be read.
    """

    def __init__(
        self,
        sources: Sequence[dict[str, Any]],
        transforms: Sequence[dict[str, Any]],
        weights: Sequence[float] | None = None,
        length: int | None = None,
        repeat: int = 1,
        seed: int = 0,
        alphabet: dict[str, Any] | None = None,
    ) -> None:
        self.alphabet = Alphabet.of(alphabet)
        self.pipelines = [build_transforms(source.get("transforms", transforms)) for source in sources]
        self.sources: list[Source] = [DATASETS.build(without(source, "transforms")) for source in sources]
        if weights is not None and len(weights) != len(sources):
            raise UserError(f"weights: {len(weights)} for {len(sources)} data sets of sources; give one for each")
        shares = np.array(weights or [len(source) for source in self.sources], dtype=np.float64)
        self.shares = shares / shares.sum()
        self.by_weight = weights is not None
        self.length = repeat * (length or sum(len(source) for source in self.sources))
        self.seed = seed

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, Any]:
        rng = np.random.default_rng((self.seed, index))
        which, within = self._choose(index % len(self), rng)
        sample = self.sources[which].draw(within, rng)
        for transform in self.pipelines[which]:
            sample = transform(sample, rng)
        return pack(sample, self.alphabet)

    def _choose(self, index: int, rng: Generator) -> tuple[int, int]:
        """Number of a source and index within it."""
        if self.by_weight:
            which = int(rng.choice(len(self.sources), p=self.shares))
            return which, int(rng.integers(len(self.sources[which])))
        ends = np.cumsum([len(source) for source in self.sources])
        index %= int(ends[-1])
        which = int(np.searchsorted(ends, index, side="right"))
        return which, index - int(ends[which]) + len(self.sources[which])


def build_transforms(configs: Sequence[dict[str, Any]]) -> list[Transform]:
    """Transforms of ``data.transforms`` by class name: ``dict(type="RandomView", size=(832, 512), ...)``."""
    built = []
    for config in configs:
        arguments = dict(config)
        built.append(getattr(transforms, arguments.pop("type"))(**arguments))
    return built


def without(config: dict[str, Any], key: str) -> dict[str, Any]:
    """A copy of a config that lacks ``key``."""
    return {name: value for name, value in config.items() if name != key}
