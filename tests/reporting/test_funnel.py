"""The funnel, by hand."""

from __future__ import annotations

from dataclasses import replace

from simhand.reporting.funnel import failed_videos, funnel, funnel_grid, missed_hands
from simhand.reporting.inputs import Pool, Shard


def test_the_funnel_by_hand(shard: Shard, pool: Pool) -> None:
    counts = funnel([shard], [pool])
    assert set(counts["source"]) == {"wild"}
    assert dict(zip(counts["what"], counts["count"], strict=True)) == {
        "videos": 3,
        "videos ok": 2,
        "videos empty": 0,
        "videos corrupt": 1,
        "videos timeout": 0,
        "frames": 16,
        "left hands found": 4,
        "right hands found": 3,
        "left hands kept": 3,
        "right hands kept": 3,
        "crops": 6,
        "crops with keypoints": 5,
        "crops without keypoints": 1,
        "hands in pool all": 6,
    }


def test_sources_stand_side_by_side_with_their_sum(shard: Shard, pool: Pool) -> None:
    other = replace(shard, source="other")
    grid = funnel_grid(funnel([other, shard, shard], [pool]))  # wild has two shards
    assert grid.header == ["", "other", "wild", "all sources"]
    lines = {line[0]: line[1:] for line in grid.rows}
    assert lines["videos"] == ["3", "6", "9"]
    assert lines["frames"] == ["16", "32", "48"]
    assert lines["hands in pool all"] == ["0", "6", "6"]


def test_one_source_needs_no_sum(shard: Shard) -> None:
    assert funnel_grid(funnel([shard], [])).header == ["", "wild"]


def test_what_was_lost_is_listed_with_its_reason(shard: Shard) -> None:
    assert failed_videos([shard]).to_numpy().tolist() == [["wild", "c.mp4", "corrupt", "cut <off>", 1]]
    assert missed_hands([shard, shard]).to_numpy().tolist() == [["wild", "no hand", 2]]
