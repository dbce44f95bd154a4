"""Which share of the wanted hands stays once left and right are balanced, which each shard does by itself.

The smaller the shards and the more videos show one hand alone, the less stays. Which shard a video is in follows from
its id; how many left and right hands it has is known of the videos that were looked at. So the others are simulated:
each is given as many of either for each unit of size as one of those that were drawn at random has, and these are drawn
again with replacement for each simulation, as in `simhand.doctor.bootstrap`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simhand.stable import shard_of
from simhand.videos.index import Video

_DRAWS = (100, 1000)  # fewest, most
_VIDEOS = 50_000_000  # in all draws together


def kept_shares(
    seen: Mapping[str, tuple[float, float]],
    sizes: Mapping[str, float],
    random: Sequence[str],
    videos: Sequence[Video],
    shards: int,
) -> np.ndarray:
    """Shares of the wanted hands of all videos that stay, (draws,); one where all videos were looked at.

    Args:
        seen: left and right hands of each video that was looked at, by id.
        sizes: of all videos, by id.
        random: those that were looked at and stand for the others.
        videos: all of the source.
        shards: of the source.
    """
    place = {name: number for number, name in enumerate({shard_of(one.video_id, shards) for one in videos})}
    known = np.zeros((len(place), 2))
    for video, hands in seen.items():
        known[place[shard_of(video, shards)]] += hands
    others = [one.video_id for one in videos if one.video_id not in seen]
    if not others or not random:
        return np.array([_kept_share(known)])
    rates = np.array([np.divide(seen[video], sizes[video]) for video in random])
    of_others = np.array([sizes[video] for video in others])
    shard = np.array([place[shard_of(video, shards)] for video in others])
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(int(np.clip(_VIDEOS // len(others), *_DRAWS))):
        again = rates[rng.integers(len(rates), size=len(rates))]
        hands = again[rng.integers(len(rates), size=len(others))] * of_others[:, None]
        sides = [np.bincount(shard, hands[:, side], len(place)) for side in range(2)]
        shares.append(_kept_share(known + np.stack(sides, axis=1)))
    return np.array(shares)


def _kept_share(hands: np.ndarray) -> float:
    """Of left and right hands by shard (shards, 2)."""
    total = hands.sum()
    return float(2 * hands.min(axis=1).sum() / total) if total else 1.0
