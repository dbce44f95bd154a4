"""From a few videos of the configured sources to the estimate: how it goes, and what is said."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

from simhand.config import Config
from simhand.doctor import amounts
from simhand.doctor.drawing import draw
from simhand.doctor.estimate import Estimate, Sample, estimate, sum_of
from simhand.doctor.estimate_text import estimate_text
from simhand.doctor.finding import Finding, ok, problem, warning
from simhand.doctor.machine import existing
from simhand.doctor.measuring import measure
from simhand.own_words import own_words
from simhand.videos.index import Video

_FASTEST, _SLOWEST = 20.0, 170.0  # to decode an hour of video, seconds (docs/resources.md)
_OTHER_MIN = 1.0  # for looking for hands in some of the frames


def estimate_sources(
    config: Config, videos: Mapping[str, list[Video]], sample: int, seed: int, out: TextIO
) -> Iterator[Finding]:
    """Looks at a few videos, writes the estimate, and tells whether the disk will do.

    Args:
        config: the configuration.
        videos: of each source.
        sample: how many are looked at.
        seed: of drawing them.
        out: what is written to.

    Raises:
        SimhandError: a stage cannot work here.
    """
    drawn = draw(videos, sample, seed)
    some = [video for of_source in drawn.values() for video in of_source.videos]
    minutes = sum(max(0.0, video.duration_s) for video in some) / 60
    total = sum(map(len, videos.values()))
    least, most = (_minute(minutes, pace) for pace in (_FASTEST, _SLOWEST))
    takes = f"{least} to {most} min" if most != least else f"{least} min"
    out.write(f"\nLooking at {len(some)} of {total:,} videos, {minutes:,.1f} minutes of video, for about {takes}; ")
    out.write("--sample 0 leaves this out.\n")
    out.flush()
    with own_words(logging.WARNING), _beside_results() as folder:
        samples = {
            name: Sample(of_source, *measure(name, of_source.videos, config, Path(folder) / name))
            for name, of_source in drawn.items()
        }
    found = estimate(samples, videos, config)
    measured = [one for sample in samples.values() for one in sample.measured]
    out.write("\n" + estimate_text(found, measured, total, config, os.cpu_count() or 1) + "\n")
    yield _room(found, Path("results"))
    yield from _failing(samples, config)
    for name, hands in found.hands_in_pools.items():
        if hands.expected < 1:
            yield warning(
                f"pool {name}: no hands with keypoints are expected", "docs/troubleshooting.md: hands are missed"
            )


def _failing(samples: Mapping[str, Sample], config: Config) -> Iterator[Finding]:
    """Pools that cannot be drawn if as many of all videos fail as of those that were looked at."""
    for name, pool in config.pools.items():
        measured = [one for source in pool.sources if source in samples for one in samples[source].measured]
        failed = sum(bool(one.problem) for one in measured)
        if failed > pool.max_failed_videos * len(measured):
            text = f"pool {name}: {failed} of {len(measured)} videos could not be read in full"
            advice = (
                f"mend or remove them, or raise max_failed_videos ({pool.max_failed_videos:.0%}): drawing it would stop"
            )
            yield warning(text, advice)


def _beside_results() -> tempfile.TemporaryDirectory[str]:
    """On their disk: the frames of a few long videos are gigabytes."""
    return tempfile.TemporaryDirectory(prefix=".simhand-doctor-", dir=existing(Path("results")))


def _minute(minutes: float, seconds_an_hour: float) -> str:
    return f"{_OTHER_MIN + minutes / 60 * seconds_an_hour / 60:,.0f}"


def _room(found: Estimate, results: Path) -> Finding:
    """Whether the disk holds what is expected; results may lie on another one than the checkout."""
    free = shutil.disk_usage(existing(results)).free / 1e6
    needed = sum_of(list(found.disk_mb.values()))
    text = (
        f"disk: {amounts.size(needed)} expected, {amounts.size(amounts.exactly(free))} free where results are written"
    )
    advice = "make room, take fewer frames a second (sampling.fps), or a larger disk"
    if needed.low > free:
        return problem(text, advice)
    return warning(text, advice) if needed.high > free else ok(text)
