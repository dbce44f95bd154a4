"""Expected hands, disk and hours of the configured sources, from what a few of their videos gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from simhand.config import Config
from simhand.doctor.balancing import kept_shares
from simhand.doctor.bootstrap import Range, Seen, total
from simhand.doctor.drawing import Drawn, sizes_of
from simhand.doctor.measuring import Measured, Rates
from simhand.mining.settings import PoolSettings
from simhand.videos.index import Video

_FRAMES_A_WORKER = 64 * 32  # then it is replaced (simhand/hands/workers.py), which takes its start again
_JOBS = 6  # of a shard, up to its keypoints
_STAGES_WITH_WORKERS = 2  # detection and keypoints
# Of the pool's tables, and of mining them: docs/resources.md and benchmarks/README.md, 1 to 2 million hands, K = 10.
_MEMBERS_MB = 370e-6
_NEIGHBOUR_MB = 20e-6
_MINING_S = 110e-6  # a hand: draw, embed, mine and report


Value = Callable[[Measured, Rates], float]
"""What a total is wanted of."""


class Sample(NamedTuple):
    """What was drawn of a source, and what it gave, in the same order."""

    drawn: Drawn
    measured: Sequence[Measured]
    rates: Rates


@dataclass(frozen=True)
class Estimate:
    """What the stages up to the similar hands are expected to give and to take.

    Args:
        counts: of frames and hands.
        disk_mb: of each stage's tables.
        cpu_s: of each stage, in seconds of one core such as this machine's.
        hands_in_pools: with keypoints, of each pool that is drawn from videos alone, at most its size.
    """

    counts: dict[str, Range]
    disk_mb: dict[str, Range]
    cpu_s: dict[str, Range]
    hands_in_pools: dict[str, Range]


def estimate(samples: Mapping[str, Sample], videos: Mapping[str, Sequence[Video]], config: Config) -> Estimate:
    """Puts the sources' samples together.

    Args:
        samples: of each source.
        videos: all of each source.
        config: the configuration.
    """
    shares = {name: _shares(sample, videos[name], config, name) for name, sample in samples.items()}

    def of(value: Value, names: Sequence[str] = tuple(samples)) -> Range:
        return total([_seen(samples[name], value) for name in names])

    def of_kept(value: Value, names: Sequence[str] = tuple(samples)) -> Range:
        return total([_balanced(_seen(samples[name], value), *shares[name]) for name in names])

    pools = {}
    for name, pool in config.pools.items():
        if not set(pool.sources) <= samples.keys():  # annotated hands, of which nothing is estimated
            continue
        found = of_kept(lambda one, _: one.found, pool.sources)
        most = pool.size or float("inf")
        pools[name] = Range(*(min(most, value) for value in found))
    return Estimate(
        counts={
            "frames": of(lambda one, _: one.frames),
            "hands": of(lambda one, _: one.hands),
            "hands kept": of_kept(lambda one, _: one.wanted),
            "with keypoints": of_kept(lambda one, _: one.found),
        },
        disk_mb={
            "frames": of(lambda one, _: one.frames_mb),
            "hands and keypoints": sum_of(
                [
                    of(lambda one, rates: one.hands * rates.rows_mb),
                    of_kept(lambda one, rates: one.wanted * rates.keypoints_mb),
                ]
            ),
            "crops": of_kept(lambda one, rates: one.wanted * rates.crop_mb),
            "pools": _pools(pools, config, lambda pool: _MEMBERS_MB + 4e-6 * pool.components + _kept_mb(pool)),
        },
        cpu_s={
            "sample_frames": of(lambda one, _: one.decoding_s),
            "detect_hands": of(lambda one, rates: one.frames * (rates.detection_s + rates.start_s / _FRAMES_A_WORKER)),
            "crop_hands": of_kept(lambda one, rates: one.wanted * rates.crop_s),
            "find_keypoints": of_kept(
                lambda one, rates: one.wanted * (rates.keypoints_s + rates.start_s / _FRAMES_A_WORKER)
            ),
            "starting jobs": _starts(samples, videos, config),
            "pools": _pools(pools, config, lambda pool: _MINING_S),
        },
        hands_in_pools=pools,
    )


def _kept_mb(pool: PoolSettings) -> float:
    return _NEIGHBOUR_MB * len(pool.ranks())


def _seen(sample: Sample, value: Value) -> Seen:
    drawn = sample.drawn
    values = [value(one.in_all_frames(), sample.rates) for one in sample.measured]
    more = [value(one.with_more(), sample.rates) for one in sample.measured]
    sure = len(drawn.certain)
    return Seen(
        sum(values[:sure]),
        np.array(values[sure:]),
        np.array(drawn.sizes),
        drawn.size_of_others,
        drawn.others,
        counted=sum(value(one, sample.rates) for one in sample.measured),
        within=float(np.linalg.norm(np.subtract(more, values))),
    )


def _shares(sample: Sample, videos: Sequence[Video], config: Config, source: str) -> tuple[np.ndarray, float]:
    """What balancing leaves of all wanted hands, as simulated, and of those that were seen alone."""
    if not config.balance.enabled:
        return np.ones(1), 1.0
    drawn, shards = sample.drawn, config.sources[source].shards
    whole = [one.in_all_frames() for one in sample.measured]
    random = [video.video_id for video in drawn.random]
    shares = kept_shares(_sides(whole), sizes_of(videos), random, videos, shards)
    counted = kept_shares(_sides(sample.measured), {}, [], drawn.videos, shards)
    return shares, float(counted[0])


def _sides(measured: Sequence[Measured]) -> dict[str, tuple[float, float]]:
    """Left and right hands of each video."""
    return {one.video.video_id: (one.left, one.wanted - one.left) for one in measured}


def _balanced(seen: Seen, shares: np.ndarray, counted: float) -> Seen:
    return seen._replace(shares=shares, counted=counted * seen.counted)


def _pools(pools: Mapping[str, Range], config: Config, a_hand: Callable[[PoolSettings], float]) -> Range:
    return sum_of([hands.times(a_hand(config.pools[name])) for name, hands in pools.items()])


def _starts(samples: Mapping[str, Sample], videos: Mapping[str, Sequence[Video]], config: Config) -> Range:
    """For each shard its jobs, and two workers of each of two stages."""
    seconds = 0.0
    for name, sample in samples.items():
        a_shard = _JOBS * sample.rates.job_s + 2 * _STAGES_WITH_WORKERS * sample.rates.start_s
        seconds += a_shard * min(config.sources[name].shards, len(videos[name]))
    return Range(seconds, seconds, seconds)


def sum_of(ranges: Sequence[Range]) -> Range:
    """As if all were low or high together: a range that is rather too wide."""
    return Range(*(sum(one[end] for one in ranges) for end in range(3)))
