"""Training data sets: photos with words, pictures rendered on the fly, and mixtures of both."""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import cv2
import numpy as np
from mmdet.registry import DATASETS
from numpy.random import Generator
from torch.utils.data import Dataset

from text_spotting.annotations.dataset_file import read_datasets
from text_spotting.data import transforms
from text_spotting.data.packing import pack
from text_spotting.data.transforms import Sample
from text_spotting.errors import UserError

LOGGER = logging.getLogger(__name__)
Transform = Callable[[Sample, Generator], Sample]


class Source(Protocol):
    """A supply of labelled pictures."""

    def __len__(self) -> int: ...

    def draw(self, index: int, rng: Generator) -> Sample: ...


@DATASETS.register_module()
class PhotoSource:
    """Photos named by "COCO with text" files.

    Args:
        ann_files, data_roots: see ``read_datasets``.

    A picture that cannot be read is reported once and another one takes its place.
    """

    def __init__(self, ann_files: str | Sequence[str], data_roots: str | Sequence[str]) -> None:
        self.images = read_datasets(ann_files, data_roots)
        self.broken: set[int] = set()

    def __len__(self) -> int:
        return len(self.images)

    def draw(self, index: int, rng: Generator) -> Sample:
        """The picture at ``index``, or the next one that can be read.

        Raises:
            UserError: no picture at all can be read.
        """
        for candidate in range(index, index + len(self)):
            annotated = self.images[candidate % len(self)]
            image = cv2.imread(str(annotated.path), cv2.IMREAD_COLOR)
            if image is not None:
                return Sample(image, annotated.words)
            self._report(candidate % len(self))
        raise UserError(f"none of the {len(self)} training pictures can be read, the first is {self.images[0].path}")

    def _report(self, index: int) -> None:
        if index in self.broken:
            return
        self.broken.add(index)
        LOGGER.warning("skipped broken picture %s (%d so far)", self.images[index].path, len(self.broken))


@DATASETS.register_module()
class SyntheticSource:
    """Pictures rendered on the fly; nothing is stored.

    Args:
        length: pictures in an epoch; every draw renders a new one.
        options: fields of ``synth.generate.SceneOptions``.
    """

    def __init__(self, length: int, **options: Any) -> None:
        from text_spotting.synth.generate import SceneGenerator, SceneOptions

        self.length = length
        self.generator = SceneGenerator(SceneOptions(**options))

    def __len__(self) -> int:
        return self.length

    def draw(self, index: int, rng: Generator) -> Sample:
        scene = self.generator(int(rng.integers(2**31)))
        return Sample(scene.image, scene.words)


@DATASETS.register_module()
class SpottingDataset(Dataset):
    """Labelled pictures, transformed and packed for the network.

    Args:
        sources: configs of photo or synthetic sources.
        weights: how often each source is drawn from, relative to the others; by default by its length.
        transforms: configs of the transforms in ``data.transforms``, by class name.
        length: samples in an epoch; by default the sources' lengths added up.
        seed: together with the index and the number of draws so far it fixes every random choice.
    """

    def __init__(
        self,
        sources: Sequence[dict[str, Any]],
        transforms: Sequence[dict[str, Any]],
        weights: Sequence[float] | None = None,
        length: int | None = None,
        seed: int = 0,
    ) -> None:
        self.sources: list[Source] = [DATASETS.build(source) for source in sources]
        self.transforms = build_transforms(transforms)
        shares = np.array(weights or [len(source) for source in self.sources], dtype=np.float64)
        self.shares = shares / shares.sum()
        self.by_weight = weights is not None
        self.length = length or sum(len(source) for source in self.sources)
        self.seed = seed
        self.draws = 0

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, Any]:
        self.draws += 1
        rng = np.random.default_rng((self.seed, index, self.draws))
        sample = self._draw(index, rng)
        for transform in self.transforms:
            sample = transform(sample, rng)
        return pack(sample)

    def _draw(self, index: int, rng: Generator) -> Sample:
        if self.by_weight:
            source = self.sources[rng.choice(len(self.sources), p=self.shares)]
            return source.draw(int(rng.integers(len(source))), rng)
        for source in self.sources:
            if index < len(source):
                return source.draw(index, rng)
            index -= len(source)
        return self.sources[0].draw(index % len(self.sources[0]), rng)


def build_transforms(configs: Sequence[dict[str, Any]]) -> list[Transform]:
    """Transforms of ``data.transforms`` by class name: ``dict(type="RandomView", size=(832, 512), ...)``."""
    built = []
    for config in configs:
        arguments = dict(config)
        built.append(getattr(transforms, arguments.pop("type"))(**arguments))
    return built
