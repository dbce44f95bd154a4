"""Which hands are seen in which step: a new permutation every epoch, the incomplete last batch dropped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch.utils.data import Sampler

from simhand.pretraining.randomness import generator


@dataclass(frozen=True)
class Plan:
    """How `hands` are cut into batches and steps. A pool smaller than one batch makes one batch of all its hands."""

    hands: int
    wanted_batch: int
    epochs: int
    warmup_epochs: float

    @property
    def batch(self) -> int:
        """Pairs in a step."""
        return min(self.hands, self.wanted_batch)

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
    """The rows of every step from `first_step` to the last, over all epochs.

    One sampler for the whole run: the workers that decode live as long, and a resumed run starts inside an epoch.
    """

    def __init__(self, plan: Plan, seed: int, first_step: int) -> None:
        self.plan = plan
        self.seed = seed
        self.first_step = first_step

    def __len__(self) -> int:
        return self.plan.steps - self.first_step

    def __iter__(self) -> Iterator[list[int]]:
        plan = self.plan
        for epoch in range(self.first_step // plan.steps_per_epoch, plan.epochs):
            rows = torch.randperm(plan.hands, generator=generator(self.seed, "order", epoch))
            batches = rows[: plan.steps_per_epoch * plan.batch].split(plan.batch)
            done = max(0, self.first_step - epoch * plan.steps_per_epoch)
            yield from (batch.tolist() for batch in batches[done:])
