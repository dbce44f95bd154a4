"""Pools: who joins, in which order, and when there is no pool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from simhand.errors import FailedVideosError, PoolError, TableError
from simhand.files import keypoints_array, read_parquet
from simhand.mining.pool import ShardTables, check_failed_videos, draw_pool, visible_share
from simhand.mining.settings import PoolSettings
from simhand.stable import stable_hash
from simhand.tables import MEMBERS


def _draw(shards: list[ShardTables], path: Path, **settings: Any) -> list[dict[str, Any]]:
    draw_pool(shards, PoolSettings(**{"sources": ("ego", "exo"), **settings}), path, pool="small")
    return read_parquet(path, MEMBERS).to_pylist()


@pytest.fixture
def shards(write_shard: Any) -> list[ShardTables]:
    return [
        write_shard("exo", "0of1", {"b": 5, "a": 4}, missed={"b_0", "a_3"}),
        write_shard("ego", "1of2", {"z": 11}),
        write_shard("ego", "0of2", {"a": 3}, missed={"a_1"}),
    ]


def test_all_found_hands_join_in_the_order_of_source_video_frame(shards: list[ShardTables], tmp_path: Path) -> None:
    rows = _draw(shards, tmp_path / "members.parquet")
    expected = [("ego", "a", 0), ("ego", "a", 60)]
    expected += [("ego", "z", 30 * k) for k in range(11)]
    expected += [("exo", "a", 0), ("exo", "a", 30), ("exo", "a", 60)]
    expected += [("exo", "b", 30), ("exo", "b", 60), ("exo", "b", 90), ("exo", "b", 120)]
    assert [(row["source"], row["video_id"], row["frame_index"]) for row in rows] == expected
    assert [row["row"] for row in rows] == list(range(len(expected)))


def test_a_member_points_to_its_own_crop_and_keypoints(shards: list[ShardTables], tmp_path: Path) -> None:
    last = _draw(shards, tmp_path / "members.parquet")[-1]  # exo's b_4: row 4 of shard 0of1, which lists b first
    assert (last["hand_id"], last["shard"], last["shard_row"], last["timestamp_s"]) == ("b_4", "0of1", 4, 120.0)
    assert last["side"] == "right"
    expected = np.random.default_rng(stable_hash("b_4")).uniform(size=63).astype(np.float32)
    np.testing.assert_array_equal(np.float32(last["keypoints"]), expected)


def test_visible_keypoints_by_hand() -> None:
    """A square of 40 px whose left quarter lies outside a frame of 100 x 30, and the same mirrored."""
    keypoints = np.full((2, 21, 3), 0.5, np.float32)  # in the frame at (10, 20)
    keypoints[:, :6, 0] = 0.2  # x = -2, outside; of the mirrored crop x = 22
    keypoints[:, 6:10, 0] = 0.9  # x = 26; of the mirrored crop x = -6, outside
    keypoints[:, 10:12, 1] = 0.8  # y = 32, below the frame
    columns = {"frame_width": 100, "frame_height": 30, "square_x1": -10.0, "square_y1": 0.0}
    columns |= {"square_x2": 30.0, "square_y2": 40.0}
    crops = pa.Table.from_pylist([{**columns, "flipped": False}, {**columns, "flipped": True}])
    np.testing.assert_allclose(visible_share(keypoints, crops), [13 / 21, 15 / 21])


def test_hands_that_the_border_cuts_can_be_left_out(write_shard: Any, tmp_path: Path) -> None:
    outside = np.full((21, 3), 0.5, np.float32)
    outside[:7, 1] = 1.5
    shards = [
        write_shard("ego", "0of1", {"a": 3}, keypoints={"a_1": outside}),
        write_shard("exo", "0of1", {"b": 2}),
    ]
    shares = {row["hand_id"]: row["visible"] for row in _draw(shards, tmp_path / "all.parquet")}
    assert shares == {"a_0": 1.0, "a_1": np.float32(2 / 3), "a_2": 1.0, "b_0": 1.0, "b_1": 1.0}
    kept = {row["hand_id"] for row in _draw(shards, tmp_path / "some.parquet", min_visible=0.7)}
    assert kept == set(shares) - {"a_1"}
    assert len(_draw(shards, tmp_path / "same.parquet", min_visible=0.66)) == 5


def test_the_smallest_hashes_are_drawn(shards: list[ShardTables], tmp_path: Path) -> None:
    everyone = [row["hand_id"] for row in _draw(shards, tmp_path / "all.parquet")]
    drawn = [row["hand_id"] for row in _draw(shards, tmp_path / "some.parquet", size=8, seed=3)]
    assert sorted(drawn) == sorted(sorted(everyone, key=lambda name: stable_hash(name, 3))[:8])


def test_a_smaller_pool_is_part_of_a_larger_one(shards: list[ShardTables], tmp_path: Path) -> None:
    pools = [
        {(row["source"], row["hand_id"]) for row in _draw(shards, tmp_path / f"{size}.parquet", size=size)}
        for size in (5, 9, 14)
    ]
    assert [len(pool) for pool in pools] == [5, 9, 14]
    assert pools[0] < pools[1] < pools[2]


def test_the_same_bytes_whatever_the_order_of_shards(shards: list[ShardTables], tmp_path: Path) -> None:
    for name, order in (("a", shards), ("b", shards[::-1])):
        _draw(order, tmp_path / name, size=10)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_another_seed_draws_other_hands(shards: list[ShardTables], tmp_path: Path) -> None:
    drawn = [{row["hand_id"] for row in _draw(shards, tmp_path / "p", size=8, seed=seed)} for seed in (0, 1)]
    assert drawn[0] != drawn[1]


def test_too_large_a_pool_says_what_there_is(shards: list[ShardTables], tmp_path: Path) -> None:
    with pytest.raises(PoolError, match=r"pool small(.|\n)*21 hands(.|\n)*20 hands.*: 13 of ego, 7 of exo"):
        _draw(shards, tmp_path / "members.parquet", size=21)
    assert not (tmp_path / "members.parquet").exists()


@pytest.mark.parametrize(("videos", "got"), [({"only": 4}, "4 hands of ego/only"), ({}, "0 hands of no video")])
def test_one_video_is_no_pool(write_shard: Any, tmp_path: Path, videos: dict[str, int], got: str) -> None:
    missed = {"extra_0"}
    shard = write_shard("ego", "0of1", {**videos, "extra": 1}, missed=missed)
    with pytest.raises(PoolError, match=rf"at least two videos(.|\n)*{got}"):
        _draw([shard], tmp_path / "members.parquet", sources=("ego",))


def test_videos_of_one_name_in_two_sources_are_two_videos(write_shard: Any, tmp_path: Path) -> None:
    shards = [write_shard(source, "0of1", {"v": 2}) for source in ("ego", "exo")]
    assert len(_draw(shards, tmp_path / "members.parquet")) == 4


def test_the_quota_of_failed_videos_holds_over_all_shards(write_shard: Any) -> None:
    shards = [
        write_shard("ego", "0of2", {"a": 1, "b": 1, "c": 1}, failed={"bad2": "corrupt", "none": "empty"}),
        write_shard("ego", "1of2", {"d": 1, "e": 1, "f": 1}, failed={"bad1": "corrupt", "slow": "timeout"}),
    ]
    check_failed_videos(shards, 0.3, pool="small")  # 3 of 10: allowed
    with pytest.raises(FailedVideosError) as caught:
        check_failed_videos(shards, 0.29, pool="small")
    message = str(caught.value)
    assert "pool small" in message
    assert "at most 29% of 10 videos" in message
    assert "3 (30%): 2 x corrupt (made corrupt); 1 x timeout (made timeout); the first: bad1, bad2, slow" in message


def test_exactly_the_quota_is_allowed(write_shard: Any) -> None:
    """29 of 100, of which 0.29 x 100 falls short by rounding."""
    good, bad = {f"v{i}": 1 for i in range(71)}, {f"bad{i}": "corrupt" for i in range(29)}
    check_failed_videos([write_shard("ego", "0of1", good, failed=bad)], 0.29, pool="p")


def test_a_keypoint_that_is_no_number_is_named(write_shard: Any, tmp_path: Path) -> None:
    bad = np.zeros((21, 3))
    bad[20, 2] = np.nan
    shard = write_shard("ego", "0of1", {"a": 3, "b": 1}, missed={"a_0"}, keypoints={"a_2": bad})
    with pytest.raises(TableError, match=r"ego_0of1.parquet, row 2 \(hand a_2\)"):
        _draw([shard], tmp_path / "members.parquet", sources=("ego",))


def test_too_few_keypoints_are_named(write_shard: Any, tmp_path: Path) -> None:
    shard = write_shard("ego", "0of1", {"a": 3, "b": 1}, keypoints={"a_1": np.zeros((20, 3))})
    with pytest.raises(TableError, match=r"row 1 \(hand a_1\)"):
        _draw([shard], tmp_path / "members.parquet", sources=("ego",))


def test_keypoints_of_other_hands_are_refused(write_shard: Any, tmp_path: Path) -> None:
    one, other = write_shard("ego", "0of1", {"a": 3, "b": 1}), write_shard("exo", "0of1", {"a": 3, "c": 1})
    mixed = ShardTables("ego", "0of1", one.statuses, one.crops, other.keypoints)
    with pytest.raises(TableError, match="do not belong together"):
        _draw([mixed], tmp_path / "members.parquet", sources=("ego",))


def test_images_are_not_read(shards: list[ShardTables], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No column of images reaches the filter, the only step that copies rows."""
    seen: list[str] = []
    monkeypatch.setattr("simhand.mining.pool._check_keypoints", lambda found, path: seen.extend(found.column_names))
    _draw(shards, tmp_path / "members.parquet")
    assert seen
    assert "jpeg" not in seen


def test_keypoints_keep_their_values_through_the_file(shards: list[ShardTables], tmp_path: Path) -> None:
    rows = _draw(shards, tmp_path / "members.parquet")
    table = read_parquet(tmp_path / "members.parquet", MEMBERS)
    assert keypoints_array(table["keypoints"]).shape == (20, 21, 3)
    assert isinstance(table["keypoints"].type, pa.FixedSizeListType)
    assert rows[0]["keypoints"][:2] != rows[1]["keypoints"][:2]


def test_a_source_is_named_once() -> None:
    with pytest.raises(ValidationError, match="named twice"):
        PoolSettings(sources=("ego", "ego"))
