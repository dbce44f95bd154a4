"""Draws a few of the configured sources' videos: the long ones more likely, and the same ones each time.

What videos give and take goes by their length, and a few long ones may be most of a source. So a video is drawn with a
probability in proportion to its length, by steps of equal size through all videos in a random order, and one that is
longer than such a step always is (systematic sampling with probability proportional to size: Cochran, Sampling
Techniques, 1977, section 9A.10).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from simhand.stable import stable_hash
from simhand.videos.index import Video

_FEWEST = 2  # of a source: a single video tells nothing about others
_EACH_S = 1.0  # added to each length: a video costs something however short it is


class Drawn(NamedTuple):
    """The videos that were drawn from a source.

    Args:
        certain: those that are always drawn.
        random: those that stand for the others.
        sizes: of the latter, (m,): what they were drawn in proportion to.
        others: how many videos the latter stand for, themselves included.
        size_of_others: the sum of their sizes.
    """

    certain: list[Video]
    random: list[Video]
    sizes: list[float]
    others: int
    size_of_others: float

    @property
    def videos(self) -> list[Video]:
        """All that were drawn."""
        return [*self.certain, *self.random]


def draw(videos: Mapping[str, Sequence[Video]], count: int, seed: int = 0) -> dict[str, Drawn]:
    """About so many videos, of each source in proportion to its number of them, two of each at least.

    Args:
        videos: of each source.
        count: how many in all.
        seed: another one draws others.
    """
    total = sum(map(len, videos.values()))
    return {
        name: _draw_from(name, own, max(_FEWEST, round(count * len(own) / max(1, total))), seed)
        for name, own in videos.items()
    }


def _draw_from(name: str, videos: Sequence[Video], count: int, seed: int) -> Drawn:
    sizes = sizes_of(videos)
    rest = sorted(videos, key=lambda video: stable_hash(f"{name}/{video.video_id}", seed))
    certain: list[Video] = []
    while rest:
        step = sum(sizes[video.video_id] for video in rest) / max(_FEWEST, count - len(certain))
        large = [video for video in rest if sizes[video.video_id] >= step]
        if not large:
            break
        certain += large
        rest = [video for video in rest if sizes[video.video_id] < step]
    if len(rest) <= max(_FEWEST, count - len(certain)):
        return Drawn([*certain, *rest], [], [], 0, 0.0)
    random = _in_steps(rest, sizes, step, stable_hash(name, seed) % 10_000 / 10_000)
    return Drawn(
        certain, random, [sizes[video.video_id] for video in random], len(rest), sum(sizes[v.video_id] for v in rest)
    )


def _in_steps(videos: Sequence[Video], sizes: Mapping[str, float], step: float, start: float) -> list[Video]:
    """Each video in which a multiple of `step` falls, none is longer than that."""
    found, passed, following = [], 0.0, start * step
    for video in videos:
        passed += sizes[video.video_id]
        if passed > following:
            found.append(video)
            following += step
    return found


def sizes_of(videos: Sequence[Video]) -> dict[str, float]:
    """What videos are drawn in proportion to, by id: seconds, as containers state, or where some state none, bytes."""
    if all(video.duration_s >= 0 for video in videos):
        return {video.video_id: video.duration_s + _EACH_S for video in videos}
    return {video.video_id: float(video.size_bytes + 1) for video in videos}
