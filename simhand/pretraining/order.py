"""Which hands are seen in which step: a new permutation every epoch, the incomplete last batch dropped.

The official code draws with replacement instead, each source equally often, and so misses a third of the hands in an
epoch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Sampler

from simhand.pretraining.randomness import generator

_ALL = slice(None)


@dataclass(frozen=True)
class Plan:
    """How `hands` are cut into batches and steps.

    A pool smaller than one batch makes one batch of all its hands, or of as many as its processes can share alike.
    """

    hands: int
    wanted_batch: int
    epochs: int
    warmup_epochs: float
    processes: int = 1

    @property
    def batch(self) -> int:
        """Pairs in a step, over all processes."""
        return min(self.hands // self.processes * self.processes, self.wanted_batch)

    @property
    def steps_per_epoch(self) -> int:
        """Steps in one pass over the pool."""
        return self.hands // self.batch

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.epochs * self.steps_per_epoch

    @property
    def warmup_steps(self) -> int:
        """Steps in which the learning rate climbs."""
        return int(self.warmup_epochs * self.steps_per_epoch)


class Order(Sampler[list[int]]):
    """The rows of every step from `first_step` to the last, over all epochs: those that this process takes.

    One sampler for the whole run: the workers that decode live as long, and a resumed run starts inside an epoch.

    Args:
        plan: of the run.
        seed: of the run.
        first_step: at which this start of the run begins.
        own: this process's part of each batch.
        chances: (hands,), how likely each hand is drawn, with replacement; None: each comes once an epoch.
    """

    def __init__(
        self, plan: Plan, seed: int, first_step: int, own: slice = _ALL, chances: Tensor | None = None
    ) -> None:
        self.plan = plan
        self.seed = seed
        self.first_step = first_step
        self.own = own
        self.chances = chances

    def __len__(self) -> int:
        return self.plan.steps - self.first_step

    def __iter__(self) -> Iterator[list[int]]:
        plan = self.plan
        for epoch in range(self.first_step // plan.steps_per_epoch, plan.epochs):
            batches = self._rows(epoch)[: plan.steps_per_epoch * plan.batch].split(plan.batch)
            done = max(0, self.first_step - epoch * plan.steps_per_epoch)
            yield from (batch[self.own].tolist() for batch in batches[done:])

    def _rows(self, epoch: int) -> Tensor:
        """The hands of an epoch in their order, int64 (hands,)."""
        random = generator(self.seed, "order", epoch)
        if self.chances is None:
            return torch.randperm(self.plan.hands, generator=random)
        return torch.multinomial(self.chances, self.plan.hands, replacement=True, generator=random)
