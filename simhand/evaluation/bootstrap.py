"""How sure the difference between two runs is: a paired bootstrap over recordings and seeds.

Images of one recording are alike: recordings are drawn, not images. A resample of few things varies less than its mean
does, and tells badly how much; so each is made wider, as Student's t is wider than a normal distribution, by
sqrt(n / chi-square of n - 1 degrees of freedom) for n recordings or n seeds. Without that an interval from three seeds
would hold the truth 75 times in 100 at most. For many recordings it is the usual percentile interval (Efron and
Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np

from simhand.errors import TableError
from simhand.evaluation.predictions import Predictions, aligned_errors, read_predictions

_AT_ONCE = 4_000_000  # draws held in memory


@dataclass(frozen=True)
class Difference:
    """A run's error less a baseline's, negative where the run is better, and the interval that it lies in.

    The interval is NaN where all images come from one recording: they tell nothing of others. Where a run has one seed,
    nothing tells how much training again would change it: the interval is then that of these two models alone, on other
    recordings, and holds the difference of the methods less often than it says.
    """

    mean_mm: float
    low_mm: float
    high_mm: float


def compare_runs(run: Sequence[Path], baseline: Sequence[Path]) -> Difference:
    """The difference of two runs' MPJPE, root and bone aligned, and its 95 % interval.

    Args:
        run: tables of predictions, one a seed.
        baseline: those of the other run, in the same order of seeds.

    Raises:
        TableError: a table cannot be read, or is of other images.
    """
    first = read_predictions(run[0])
    errors_of_run, errors_of_baseline = ([_errors(path, first) for path in paths] for paths in (run, baseline))
    return paired_difference(errors_of_run, errors_of_baseline, first.sequences)


def _errors(path: Path, first: Predictions) -> np.ndarray:
    """Errors (N, 21) of a table, which must be of the same images as the first one."""
    table = read_predictions(path)
    if not (np.array_equal(table.names, first.names) and np.array_equal(table.seen, first.seen)):
        hint = "compare runs that were judged on the same labelled set"
        raise TableError("predictions for other images", where=path, hint=hint)
    return aligned_errors(table)


def paired_difference(
    run: Sequence[np.ndarray],
    baseline: Sequence[np.ndarray],
    sequences: np.ndarray,
    *,
    level: float = 0.95,
    resamples: int = 4000,
    seed: int = 0,
) -> Difference:
    """The difference of two runs' errors on the same images, and its interval.

    Args:
        run: one array a seed, the same images in the same order: errors (N,) in mm, or (N, J) of their joints, masked
            where they are not judged. Of joints the difference is that of the MPJPE: the mean over images for each,
            then over joints.
        baseline: the other run's. With as many seeds as `run` the first is paired with the first, and so on (the same
            seed has the same labels); otherwise the seeds of both are drawn apart.
        sequences: (N,), images with the same number come from one recording.
        level: how often such an interval is to hold the true difference.
        resamples: how many.
        seed: of the draws.

    Raises:
        TableError: the arrays are not of the same images, or there is none.
    """
    _check_shapes([*run, *baseline], len(run) * len(baseline), sequences)
    rng = np.random.default_rng(seed)
    groups = _paired(run, baseline) if len(run) == len(baseline) else [list(run), [-errors for errors in baseline]]
    difference = _Recordings.of(reduce(add, [reduce(add, group) / len(group) for group in groups]), sequences)
    spread = difference.resampled(resamples, rng)  # (resamples,)
    for group in groups:
        spread = spread + _resampled_seeds([_Recordings.of(each, sequences).mean() for each in group], resamples, rng)
    low, high = difference.mean() + np.quantile(spread, [(1 - level) / 2, (1 + level) / 2])
    return Difference(difference.mean(), float(low), float(high))


def _paired(run: Sequence[np.ndarray], baseline: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
    return [[one - other for one, other in zip(run, baseline, strict=True)]]


def _check_shapes(arrays: Sequence[np.ndarray], any_pairs: int, sequences: np.ndarray) -> None:
    shapes = sorted({array.shape for array in arrays})
    if not any_pairs or len(shapes) != 1 or shapes[0][:1] != sequences.shape or len(sequences) == 0:
        expected = f"errors of the same {len(sequences):,} images"
        raise TableError("runs that cannot be compared", expected=expected, got=f"shapes {shapes}")


@dataclass(frozen=True)
class _Recordings:
    """What the mean over images needs of each of C recordings, for each of J joints."""

    totals: np.ndarray  # float64 (C, J)
    counts: np.ndarray  # float64 (C, J)

    @classmethod
    def of(cls, errors: np.ndarray, sequences: np.ndarray) -> _Recordings:
        """Gathers errors (N,) or (N, J), masked where not judged, of images from sequences (N,)."""
        order = np.argsort(sequences, kind="stable")
        starts = np.flatnonzero(np.diff(sequences[order], prepend=sequences[order[0]] - 1))
        columns = errors.reshape(len(errors), -1)[order]  # (N, J)
        judged = ~np.ma.getmaskarray(columns)
        totals, counts = (np.add.reduceat(x.astype(float), starts) for x in (np.ma.filled(columns, 0), judged))
        return cls(totals, counts)

    def mean(self) -> float:
        """Over images for each joint, then over the joints that are judged at all."""
        return float(self._means(np.ones((1, len(self.totals))))[0])

    def _means(self, weights: np.ndarray) -> np.ndarray:
        """The mean where recording c counts weights[b, c] times: (B,)."""
        counts = weights @ self.counts  # (B, J)
        means = np.divide(weights @ self.totals, counts, out=np.zeros_like(counts), where=counts > 0)
        return means.sum(axis=1) / np.maximum((counts > 0).sum(axis=1), 1)

    def resampled(self, resamples: int, rng: np.random.Generator) -> np.ndarray:
        """How far the means of resamples lie from the mean: (resamples,)."""
        count = len(self.totals)
        block = max(1, _AT_ONCE // count)
        found = [self._block(min(block, resamples - start), rng) for start in range(0, resamples, block)]
        return (np.concatenate(found) - self.mean()) * _widening(count, resamples, rng)

    def _block(self, resamples: int, rng: np.random.Generator) -> np.ndarray:
        count = len(self.totals)
        drawn = rng.integers(count, size=(resamples, count)) + count * np.arange(resamples)[:, None]
        times = np.bincount(drawn.ravel(), minlength=resamples * count).reshape(resamples, count)
        return self._means(times.astype(float))


def _resampled_seeds(values: Sequence[float], resamples: int, rng: np.random.Generator) -> np.ndarray:
    """How far the means of resampled seeds lie from the mean, (resamples,); nothing is known of it from one seed."""
    found, count = np.array(values), len(values)
    if count == 1:
        return np.zeros(resamples)
    drawn = found[rng.integers(count, size=(resamples, count))]
    return (drawn.mean(axis=1) - found.mean()) * _widening(count, resamples, rng)


def _widening(count: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """By what resamples of so many things are to be made wider, (resamples,); NaN for one thing."""
    if count == 1:
        return np.full(resamples, np.nan)
    return np.sqrt(count / rng.chisquare(count - 1, size=resamples))


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and sample deviation (n - 1) over seeds; one seed has no deviation."""
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None
