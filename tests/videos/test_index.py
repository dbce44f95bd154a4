"""The tables of stage 1."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simhand.errors import TableError
from simhand.stable import shard_of
from simhand.videos.index import (
    LIST_COLUMNS,
    ListedVideo,
    Video,
    max_frames,
    read_index,
    read_shard_list,
    shard_lists,
    write_index,
    write_shard_list,
)


def video(name: str, duration_s: float = 1.0, frame_rate: float = 0.0) -> Video:
    return Video(name, f"/x/{name}", 3, 5, "f", duration_s, frame_rate)


def test_an_index_is_read_as_it_was_written(tmp_path: Path) -> None:
    videos = [video("a\tb.mp4", -1.0), video('"c"\n', 2.125), video("d", 3.0, 29.97)]
    write_index(videos, tmp_path / "index.tsv")
    assert read_index(tmp_path / "index.tsv") == videos


@pytest.mark.parametrize("text", ["", "video_id\tpath\nx\n", "\0"])
def test_a_damaged_index_says_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "index.tsv").write_text(text)
    with pytest.raises(TableError, match="delete it"):
        read_index(tmp_path / "index.tsv")


def test_the_list_of_a_shard_survives_any_name(tmp_path: Path) -> None:
    rows = [('tab\there "quoted".mp4', "/x/tab\there.mp4", 3, "f", 0.0), ("zwei\nZeilen", "/x/z", 4, "g", 29.97)]
    write_shard_list(rows, tmp_path / "list.tsv")
    assert read_shard_list(tmp_path / "list.tsv") == [
        ListedVideo('tab\there "quoted".mp4', "/x/tab\there.mp4", 0.0),
        ListedVideo("zwei\nZeilen", "/x/z", 29.97),
    ]


@pytest.mark.parametrize("text", ["", "a\tb\n", "\t".join(LIST_COLUMNS) + "\nv.mp4\t/v.mp4\t1\tf\tfast\n"])
def test_a_damaged_list_of_a_shard_says_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.tsv").write_text(text)
    with pytest.raises(TableError, match=r"(?s)list of a shard's videos.*list\.tsv.*delete"):
        read_shard_list(tmp_path / "list.tsv")


def test_shard_lists_hold_each_video_once_in_the_shard_of_its_id() -> None:
    videos = [video(f"{i}.mp4") for i in range(40)]
    lists = shard_lists(videos, 7)
    assert sorted(row[0] for rows in lists.values() for row in rows) == sorted(one.video_id for one in videos)
    for shard, rows in lists.items():
        for row in rows:
            assert shard_of(row[0], 7) == shard
            assert row == (row[0], f"/x/{row[0]}", 3, "f", 0.0)


@given(st.text(min_size=1), st.integers(1, 300))
def test_a_shard_is_named_by_number_and_count(name: str, shards: int) -> None:
    number, count = shard_of(name, shards).split("of")
    assert int(count) == shards
    assert 0 <= int(number) < shards
    assert shard_of(name, shards) == shard_of(name, shards)


def test_shards_are_of_similar_size() -> None:
    counts = [0] * 8
    for i in range(8000):
        counts[int(shard_of(f"video_{i}.mp4", 8).split("of")[0])] += 1
    assert min(counts) > 880
    assert max(counts) < 1120


def test_most_frames_of_a_source() -> None:
    assert max_frames([video("a", 10.2), video("b", 0.0), video("c", 3.0)], fps=2.0) == 20 + 2 + 6 + 2
    assert max_frames([video("a", 10.0), video("b", -1.0)], fps=2.0) is None
    assert max_frames([], fps=2.0) == 0
