"""Which hands and which of their similar hands are picked out of a pool."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from simhand.reporting.pool_pairs import shown_ranks, spread_over_videos


def members(videos: list[str], sources: list[str] | None = None) -> pa.Table:
    """A pool's hands by their videos, all of one source unless said otherwise."""
    hands = [f"h{i}" for i in range(len(videos))]
    return pa.table({"source": sources or ["s"] * len(videos), "video_id": videos, "hand_id": hands})


def test_queries_come_of_all_videos_before_a_second_one_comes_of_any() -> None:
    videos = ["a"] * 50 + ["b"] * 3 + ["c"]
    for seed in range(5):
        chosen = [videos[row] for row in spread_over_videos(members(videos), 5, seed)]
        assert sorted(chosen) == ["a", "a", "b", "b", "c"]
    assert spread_over_videos(members(videos), 5, 0) != spread_over_videos(members(videos), 5, 1)
    assert spread_over_videos(members(videos), 100, 0) == list(range(54))


def test_of_many_ranks_the_first_and_some_up_to_the_last_are_shown() -> None:
    assert shown_ranks([1, 2, 5], 8) == [1, 2, 5]
    assert shown_ranks(range(1, 11), 8) == [1, 2, 3, 4, 5, 6, 8, 10]
    assert shown_ranks([*range(1, 11), 100, 1000, 5000], 8) == [1, 2, 3, 4, 5, 100, 1000, 5000]
    assert shown_ranks([*range(1, 10), 5000], 8) == [1, 2, 3, 4, 5, 8, 9, 5000]


def test_of_many_ranks_as_many_are_shown_as_asked_for() -> None:
    ranks = [*range(1, 11), 100, 1000, 5000]
    assert [shown_ranks(ranks, most) for most in (1, 2, 4)] == [[1], [1, 5000], [1, 2, 3, 5000]]


@given(st.sets(st.integers(1, 6000), min_size=9, max_size=200))
def test_eight_ranks_are_shown_with_the_first_and_the_last(mined: set[int]) -> None:
    ranks = sorted(mined)
    shown = shown_ranks(ranks, 8)
    assert len(shown) == 8
    assert shown == sorted({*shown}) and mined.issuperset(shown)
    assert shown[:4] == ranks[:4]
    assert shown[-1] == ranks[-1]


def test_videos_of_one_name_in_two_sources_are_two() -> None:
    pool = members(["a"] * 4, ["ego", "ego", "exo", "exo"])
    first, second = spread_over_videos(pool, 2, seed=0)
    assert first < 2 <= second
