from __future__ import annotations

from pathlib import Path

import pytest

from simhand.start.choices import query_shards, shards, training
from simhand.start.found import Found


@pytest.mark.parametrize(
    ("videos", "hours", "expected"),
    [
        (2, 0.1, 2),  # never more than videos
        (32, 0.1, 4),
        (1_000, 100.0, 10),
        (9_611, 3_670.0, 147),  # long ones: by their hours
        (27_000, 3_200.0, 270),
        (10**6, None, 512),
    ],
)
def test_shards_follow_the_videos(videos: int, hours: float | None, expected: int) -> None:
    assert shards(Found(Path("x"), "videos", "", videos, hours)) == expected


def test_queries_are_cut_where_there_are_many() -> None:
    assert [query_shards(hands) for hands in (None, 1_000, 2_000_000)] == [1, 1, 34]


def test_batches_fit_to_gpus_and_hands() -> None:
    assert training(0, 2, None).batch_size == 64
    assert training(0, 2, 100).batch_size == 32
    assert training(1, 16, None).batch_size == 1024
    eight = training(8, 64, 2_000_000)
    assert (eight.batch_size, eight.workers, eight.bfloat16) == (8192, 7, True)
    assert training(3, 16, 50).batch_size % 3 == 0
