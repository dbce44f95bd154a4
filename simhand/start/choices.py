"""The numbers of a new configuration, chosen by what was found and what the machine has."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from simhand.start.found import Found

_VIDEOS_A_SHARD = 100
_HOURS_A_SHARD = 25.0  # some hours of work of two cores
_FEWEST_SHARDS = 4  # so that a machine of a few cores has something to do
_MOST_SHARDS = 512  # beyond, planning takes longer than it helps
_HANDS_AN_HOUR = 1000  # at a frame a second; a guess, which only chooses sizes (`simhand doctor` estimates)
_HANDS_A_QUERY = 60_000  # searched by one job
_BATCH = {True: 1024, False: 64}  # pairs, for each GPU; without one
_SMALLEST_BATCH = 32
_BATCHES = 8  # that a pool is to hold at least


def shards(source: Found) -> int:
    """Into how many jobs the work on a source is cut."""
    by_count = source.videos / _VIDEOS_A_SHARD
    by_hours = (source.hours or 0) / _HOURS_A_SHARD
    wanted = max(_FEWEST_SHARDS, math.ceil(by_count), math.ceil(by_hours))
    return min(wanted, _MOST_SHARDS, source.videos) if source.videos else 8  # of annotations nothing is known


def hands(sources: list[Found]) -> int | None:
    """A guess at how many hands there are; None: nothing is known of some source."""
    hours = [source.hours for source in sources]
    return None if None in hours else int(_HANDS_AN_HOUR * sum(hour for hour in hours if hour))


def query_shards(guessed_hands: int | None) -> int:
    """Into how many jobs the search is cut."""
    return max(1, math.ceil((guessed_hands or 0) / _HANDS_A_QUERY))


@dataclass(frozen=True)
class Training:
    """What networks are trained with.

    Args:
        gpus: how many; 0: on CPUs, small and short.
        batch_size: pairs in a step of pre-training.
        workers: processes that decode images, for each GPU.
        bfloat16: whether mixed precision is faster here.
    """

    gpus: int
    batch_size: int
    workers: int
    bfloat16: bool


def training(gpus: int, cpus: int, guessed_hands: int | None) -> Training:
    """Sizes that fit to a number of GPUs, of CPUs here, and of hands."""
    most = _BATCH[gpus > 0] * max(1, gpus)
    batch = most if guessed_hands is None else min(most, max(_SMALLEST_BATCH, _power_of_2(guessed_hands // _BATCHES)))
    batch = max(batch, 2 * gpus)  # each GPU contrasts two pairs at least
    batch -= batch % max(1, gpus)
    workers = max(1, min(7, cpus // gpus - 1)) if gpus else 0
    return Training(gpus, batch, workers, gpus > 0 or _has_avx512())


def _power_of_2(number: int) -> int:
    """The largest that is no larger."""
    return 1 << max(0, number.bit_length() - 1)


def _has_avx512() -> bool:
    cpus = Path("/proc/cpuinfo")
    return cpus.is_file() and "avx512" in cpus.read_text()
