"""Random numbers that depend on seed, purpose and step alone: a resumed run draws what an unbroken one would."""

from __future__ import annotations

import torch

from simhand.stable import stable_hash


def generator(seed: int, purpose: str, index: int) -> torch.Generator:
    """A CPU generator for the draw number `index` (a step, an epoch) of one purpose."""
    return torch.Generator().manual_seed(stable_hash(f"{purpose} {index}", seed))
