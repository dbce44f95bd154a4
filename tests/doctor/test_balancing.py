from __future__ import annotations

import numpy as np
import pytest

from simhand.doctor.balancing import kept_shares
from simhand.doctor.bootstrap import COVERED
from simhand.stable import shard_of
from simhand.videos.index import Video


def videos(count: int) -> list[Video]:
    return [Video(f"{i}.mp4", f"/{i}.mp4", 1000, 0, "", 10.0) for i in range(count)]


def true_share(hands: dict[str, tuple[float, float]], shards: int) -> float:
    """Counted shard by shard."""
    sums: dict[str, np.ndarray] = {}
    for name, sides in hands.items():
        sums[shard_of(name, shards)] = sums.get(shard_of(name, shards), np.zeros(2)) + sides
    return sum(2 * min(one) for one in sums.values()) / sum(one.sum() for one in sums.values())


@pytest.mark.parametrize("shards", [1, 3, 50])
def test_of_videos_that_were_all_seen_it_is_counted(shards: int) -> None:
    all_of_them = videos(9)
    hands = {one.video_id: (float(i), 5.0) for i, one in enumerate(all_of_them)}
    shares = kept_shares(hands, {one.video_id: 1.0 for one in all_of_them}, list(hands), all_of_them, shards)
    assert shares.tolist() == [pytest.approx(true_share(hands, shards))]


def test_without_hands_nothing_is_lost() -> None:
    assert kept_shares({"0.mp4": (0.0, 0.0)}, {}, [], videos(1), 4).tolist() == [1.0]


def test_videos_of_one_hand_each_lose_most_where_shards_are_small() -> None:
    all_of_them = videos(400)
    seen = {f"{i}.mp4": (10.0, 0.0) if i % 2 else (0.0, 10.0) for i in range(20)}
    sizes = {one.video_id: 1.0 for one in all_of_them}
    large, small = (kept_shares(seen, sizes, list(seen), all_of_them, shards).mean() for shards in (2, 400))
    assert large > 0.75
    assert small < 0.45
    assert large == pytest.approx(kept_shares(seen, sizes, list(seen), all_of_them, 2).mean(), abs=0), "reproducible"


def test_the_truth_lies_among_the_simulated_shares() -> None:
    """Videos of either hand or of both, of 1 to 5 minutes; 20 of 120 are seen, drawn in proportion to their length."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(60):
        all_of_them = videos(120)
        minutes = rng.uniform(1, 5, 120)
        left = rng.beta(0.4, 0.4, 120)
        counts = rng.poisson(minutes[:, None] * 12 * np.stack([left, 1 - left], axis=1))
        hands = {one.video_id: tuple(map(float, count)) for one, count in zip(all_of_them, counts, strict=True)}
        sizes = {one.video_id: float(size) for one, size in zip(all_of_them, minutes, strict=True)}
        drawn = rng.choice(list(sizes), 20, replace=False, p=minutes / minutes.sum()).tolist()
        seen = {name: hands[name] for name in drawn}
        low, high = np.quantile(kept_shares(seen, sizes, drawn, all_of_them, 6), [(1 - COVERED) / 2, (1 + COVERED) / 2])
        held += low <= true_share(hands, 6) <= high
    assert held >= 48, "of 60; 54 are meant"
