"""The order in which training samples are drawn."""

import math
import signal
from collections.abc import Iterator

import torch
from mmdet.registry import DATA_SAMPLERS
from mmengine.dist import get_dist_info
from mmengine.registry import FUNCTIONS
from torch.utils.data import Dataset, Sampler


@DATA_SAMPLERS.register_module()
class EpochSampler(Sampler[int]):
    """Shuffles anew each epoch and numbers samples across epochs.

    Index ``epoch * len(dataset) + i`` lets a data set derive every random choice from the index alone, so a
    resumed run sees exactly the samples that an uninterrupted one would have seen.

    Args:
        dataset: its length is that of an epoch.
        seed: seed of the shuffles.
    """

    def __init__(self, dataset: Dataset, seed: int = 0, **_: object) -> None:
        self.rank, self.world_size = get_dist_info()
        self.total = len(dataset)  # type: ignore[arg-type]
        self.seed = seed
        self.epoch = 0
        self.skip = 0

    def __len__(self) -> int:
        return math.ceil(self.total / self.world_size)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        order = torch.randperm(self.total, generator=generator).tolist()
        order += order[: len(self) * self.world_size - self.total]
        mine = order[self.rank :: self.world_size][self.skip :]
        self.skip = 0
        return (self.epoch * self.total + index for index in mine)

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def skip_samples(self, count: int) -> None:
        """Leave out the first ``count`` samples of the next epoch, which an interrupted run has seen."""
        self.skip = count


@FUNCTIONS.register_module()
def quiet_worker(worker_id: int, **_: object) -> None:
    """Start a loading process that leaves Ctrl-C and SIGTERM, which reach the whole group, to its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
