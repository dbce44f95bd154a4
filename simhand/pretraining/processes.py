"""The processes that share a batch, by PyTorch's own means (`torchrun` starts them, gloo or NCCL joins them)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.autograd.function import once_differentiable
from torch.nn.parallel import DistributedDataParallel

from simhand.errors import ConfigError


@dataclass(frozen=True)
class Processes:
    """Processes with equal parts of each batch, as seen from one of them; a single one needs no set-up."""

    count: int = 1
    rank: int = 0  # of this one
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))  # of this one

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0

    def own(self, total: int) -> slice:
        """This process's part of `total` things."""
        size = total // self.count
        return slice(self.rank * size, (self.rank + 1) * size)

    def gather(self, part: Tensor) -> Tensor:
        """Everybody's (n, ...), one after the other: (count * n, ...); gradients flow back to where it came from."""
        return part if self.count == 1 else _Gather.apply(part, self)

    def minimum(self, value: Tensor) -> Tensor:
        """The least of everybody's values; no gradient."""
        return self._reduced(value, distributed.ReduceOp.MIN)

    def maximum(self, value: Tensor) -> Tensor:
        """The greatest of everybody's values; no gradient."""
        return self._reduced(value, distributed.ReduceOp.MAX)

    def sum(self, value: Tensor) -> Tensor:
        """The sum of everybody's values; no gradient."""
        return self._reduced(value, distributed.ReduceOp.SUM)

    def share(self, model: nn.Module, *, one_statistic: bool = True) -> nn.Module:
        """The model as it is called in training, gradients being averaged over all; its weights stay those of `model`.

        Args:
            model: on the device.
            one_statistic: batch norm takes its statistics over all processes, where PyTorch can: on GPUs. On CPUs they
                are those of each process's part.
        """
        gpu = [self.device] if self.device.type == "cuda" else None
        if self.count > 1 and gpu and one_statistic:
            nn.SyncBatchNorm.convert_sync_batchnorm(model)
        if self.count == 1:
            return model
        return DistributedDataParallel(model, device_ids=gpu, gradient_as_bucket_view=True)

    def equalise_statistics(self, model: nn.Module) -> None:
        """Gives everybody's model the first one's running statistics: without SyncBatchNorm each has its own."""
        if self.count > 1:
            for buffer in model.buffers():
                distributed.broadcast(buffer, 0)

    def wait(self) -> None:
        """Until all are here; a GPU's exchange is over only once its result is read."""
        self.sum(torch.zeros((), device=self.device)).item()

    def _reduced(self, value: Tensor, operation: distributed.ReduceOp.RedOpType) -> Tensor:
        if self.count == 1:
            return value
        value = value.detach().clone()
        distributed.all_reduce(value, operation)
        return value


class _Gather(torch.autograd.Function):
    """All parts in every process; PyTorch's own, torch.distributed.nn, is deprecated and its successor not public."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, processes: Processes) -> Tensor:
        ctx.processes = processes
        parts = [torch.empty_like(part) for _ in range(processes.count)]
        distributed.all_gather(parts, part.contiguous())
        return torch.cat(parts)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor, None]:
        return ctx.processes.sum(slopes)[ctx.processes.own(len(slopes))], None


ALONE = Processes()


@contextmanager
def joined(expected: int, device: torch.device) -> Iterator[Processes]:
    """The processes that `torchrun` has started, joined until the end of the block; one process joins nobody.

    Args:
        expected: how many the run's settings ask for.
        device: of this process: cpu (joined by gloo) or cuda (by NCCL).

    Raises:
        ConfigError: torchrun has started another number of them.
    """
    started = int(os.environ.get("WORLD_SIZE", "1"))
    if started != expected:
        raise ConfigError(
            "another number of processes than the run asks for",
            where="processes",
            expected=expected,
            got=started,
            hint=f"start it with torchrun --standalone --nproc-per-node {expected} -m ...",
        )
    if started == 1:
        yield Processes(device=device)
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(started, distributed.get_rank(), device)
    finally:
        distributed.destroy_process_group()
