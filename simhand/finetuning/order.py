"""Which hands are seen in which step: a new permutation every epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Sampler

from simhand.errors import LabelledSetError
from simhand.pretraining.processes import Processes
from simhand.pretraining.randomness import generator

_LEAST = 2  # images of a process in a step: batch norm needs several

Key = tuple[int, int]  # epoch, row


@dataclass(frozen=True)
class Plan:
    """How `hands` are cut into steps; the last batch of an epoch may be smaller, and is left out where it is tiny.

    Raises:
        LabelledSetError: fewer hands than the processes need for one step.
    """

    hands: int
    batch: int  # images in a step, over all processes
    epochs: int
    processes: int = 1

    def __post_init__(self) -> None:
        least = _LEAST * self.processes
        if min(self.hands, self.batch) < least:
            raise LabelledSetError(
                "too few images for a step",
                expected=f"at least {least}: {_LEAST} for each of {self.processes} processes",
                got=f"{self.hands} training images, batch_size {self.batch}",
                hint="take more labels, a larger batch_size, or fewer processes",
            )

    @property
    def steps_per_epoch(self) -> int:
        """Steps in one pass over the hands."""
        whole, rest = divmod(self.hands, self.batch)
        return whole + (rest >= _LEAST * self.processes)

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.epochs * self.steps_per_epoch


class Order(Sampler[list[Key]]):
    """The keys of every step from `first_step` to the last, over all epochs: those that this process takes.

    Args:
        plan: of the run.
        seed: of the run.
        first_step: at which this start of the run begins.
        processes: that share each batch.
    """

    def __init__(self, plan: Plan, seed: int, first_step: int, processes: Processes) -> None:
        self.plan = plan
        self.seed = seed
        self.first_step = first_step
        self.rank, self.count = processes.rank, processes.count

    def __len__(self) -> int:
        return self.plan.steps - self.first_step

    def __iter__(self) -> Iterator[list[Key]]:
        first_epoch, done = divmod(self.first_step, self.plan.steps_per_epoch)
        for epoch in range(first_epoch, self.plan.epochs):
            batches = self._rows(epoch).split(self.plan.batch)[: self.plan.steps_per_epoch]
            for batch in batches[done if epoch == first_epoch else 0 :]:
                yield [(epoch, row) for row in batch[self.rank :: self.count].tolist()]

    def _rows(self, epoch: int) -> Tensor:
        return torch.randperm(self.plan.hands, generator=generator(self.seed, "order", epoch))
