"""The learning rate of every step: a climb from 0, then a cosine down to 0 (spec section 7)."""

from __future__ import annotations

import math


def learning_rate(step: int, peak: float, warmup_steps: int, steps: int) -> float:
    """The rate that `step` (from 0) is taken with; a function of the step alone, so there is nothing to checkpoint.

    The climb ends at step `warmup_steps - 1` and the peak is held for one more step, as in pl-bolts. Without warm-up
    this is a cosine from the first step on.
    """
    if step < warmup_steps:
        return peak * step / max(warmup_steps - 1, 1)
    return peak * (1 + math.cos(math.pi * (step - warmup_steps) / (steps - warmup_steps))) / 2
