"""What several training processes share, so that together they compute what one would with the whole batch."""

import torch
import torch.distributed as dist
from mmengine.dist import all_reduce, get_world_size
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce as differentiable_sum


def mean_count(own: Tensor | int) -> Tensor:
    """What a sum over this process's ``own`` items is divided by, 1 at the least over all processes.

    Gradients are averaged over the processes afterwards: sums divided by the mean number of items then average to
    what one process gets that divides by all of them.
    """
    total = torch.as_tensor(own, dtype=torch.float32).clone()
    all_reduce(total)
    return total.clamp(min=1) / get_world_size()


def share(own: Tensor | int) -> Tensor | float:
    """Factor that turns a mean over ``own`` items of this process into its part of the mean over all."""
    if get_world_size() == 1:
        return 1.0
    return torch.as_tensor(own, dtype=torch.float32) / mean_count(own)


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over the batches of all processes, on processors that PyTorch's SyncBatchNorm leaves out.

    Attributes:
        group: processes that share; not the one of the gradients, whose exchanges would come in between.
    """

    group: dist.ProcessGroup | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or get_world_size() == 1:
            return super().forward(x)
        with torch.autocast(x.device.type, enabled=False):
            return self._normalise(x.float()).to(x.dtype)

    def _normalise(self, x: Tensor) -> Tensor:
        count = x.new_tensor([x.numel() / x.shape[1]])
        sums = torch.cat([x.sum(dim=(0, 2, 3)), count])
        total = differentiable_sum(sums, group=self.group or dist.group.WORLD)
        size = total[-1].detach().clamp(min=1)
        mean = total[:-1] / size
        squares = (x - mean[:, None, None]).square().sum(dim=(0, 2, 3))
        variance = differentiable_sum(squares, group=self.group or dist.group.WORLD) / size
        self._remember(mean.detach(), variance.detach() * size / (size - 1).clamp(min=1))
        scale = self.weight * (variance + self.eps).rsqrt()
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        for own, seen in ((self.running_mean, mean), (self.running_var, variance)):
            if own is not None:
                own.lerp_(seen, self.momentum or 0.0)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)


def share_norms(network: nn.Module) -> None:
    """Let every batch normalisation of a network see the batches of all processes."""
    group = dist.new_group()
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SharedBatchNorm  # parameters, buffers and hooks stay what they are
            module.group = group
