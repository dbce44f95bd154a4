"""How far an estimate from a few videos may lie from the truth: a bootstrap over the videos that were looked at.

A video that was drawn in proportion to its size stands for others by what it gave for each unit of size. The mean of
that over the drawn videos, times the size of all, is the estimate of the total (Hansen and Hurwitz, 1943). Videos are
drawn again with replacement from those that were, and the mean is taken again. Such deviations are too small by the
few videos that there are, so each is made wider as Student's t is wider than a normal distribution, by sqrt(n /
chi-square of n - 1 degrees of freedom); and too large where the drawn videos are a good part of all, so they are made
narrower by sqrt(1 - n / N).

Where only some frames of a video were looked at, its own total is uncertain too. That is added as normal deviations:
the bootstrap does not see it in videos that are always drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_DRAWS = 4000
COVERED = 0.9
"""How often a range is meant to hold the truth."""


class Range(NamedTuple):
    """An estimate, and the range in which the truth is expected."""

    expected: float
    low: float
    high: float

    def times(self, factor: float) -> Range:
        """The same in another unit."""
        return Range(*(factor * value for value in self))


class Seen(NamedTuple):
    """What was seen of one source.

    Args:
        certain: the sum over the videos that are always drawn.
        random: of each of the others that were drawn, (m,): what the total is wanted of.
        sizes: of those, (m,).
        size_of_others: of all that they stand for.
        others: how many those are.
        counted: what was really seen, which is no more than the truth.
        within: standard deviation of the drawn videos' own sum, of which only some frames were looked at.
        shares: what of it all stays, as simulated, (draws,).
    """

    certain: float
    random: np.ndarray
    sizes: np.ndarray
    size_of_others: float
    others: int
    counted: float
    within: float
    shares: np.ndarray = np.ones(1)


def total(sources: Sequence[Seen], seed: int = 0) -> Range:
    """The total over all videos of all sources; what was seen is its lower bound."""
    rng = np.random.default_rng(seed)
    expected = sum(_expected(one) * one.shares.mean() for one in sources)
    seen = float(sum(one.counted for one in sources))
    if any(len(one.random) == 1 < one.others for one in sources):  # one of several: nothing tells how they differ
        return Range(float(expected), seen, np.inf)
    draws = sum((_draws(one, rng) for one in sources), np.zeros(_DRAWS))
    low, high = np.quantile(draws, [(1 - COVERED) / 2, (1 + COVERED) / 2])
    return Range(float(expected), max(seen, float(low)), max(seen, float(high)))


def _expected(source: Seen) -> float:
    """Of which the shares are taken."""
    return float(source.certain + _rates(source).mean() * source.size_of_others)


def _draws(source: Seen, rng: np.random.Generator) -> np.ndarray:
    """Totals of a source that may be (draws,)."""
    deviations = _deviations(source, rng) + source.within * rng.standard_normal(_DRAWS)
    return (_expected(source) + deviations) * rng.choice(source.shares, _DRAWS)


def _rates(source: Seen) -> np.ndarray:
    """For each unit of size (m,); 0 where all videos were drawn."""
    return source.random / source.sizes if len(source.random) else np.zeros(1)


def _deviations(source: Seen, rng: np.random.Generator) -> np.ndarray:
    """Of the total of a source from its estimate (draws,)."""
    count = len(source.random)
    if count < 2:
        return np.zeros(_DRAWS)
    rates = _rates(source)
    means = rates[rng.integers(count, size=(_DRAWS, count))].mean(axis=1)
    wider = np.sqrt(count / rng.chisquare(count - 1, _DRAWS)) * np.sqrt(1 - count / source.others)
    return (means - rates.mean()) * source.size_of_others * wider
