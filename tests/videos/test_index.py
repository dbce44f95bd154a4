from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simhand.errors import ConfigError, TableError
from simhand.stable import shard_of
from simhand.videos.index import (
    content_fingerprint,
    max_frames,
    read_index,
    read_shard_list,
    shard_lists,
    update_index,
    write_shard_list,
)
from tests.conftest import WriteVideo


@pytest.fixture
def folder(tmp_path: Path, write_video: WriteVideo) -> Path:
    write_video(tmp_path / "videos" / "a.mp4", [0, 0.5, 1.0, 1.5])
    write_video(tmp_path / "videos" / "deep" / "b c ä.mkv", [0, 0.5])
    (tmp_path / "videos" / "notes.txt").write_text("no video")
    (tmp_path / "videos" / ".hidden.mp4").write_text("no video")
    return tmp_path / "videos"


def test_finds_videos_in_folders_below_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    videos = update_index(folder, tmp_path / "index.tsv")
    assert [video.video_id for video in videos] == ["a.mp4", "deep/b c ä.mkv"]
    assert videos[0].duration_s == pytest.approx(1.5 + 1 / 30, abs=0.6)
    assert read_index(tmp_path / "index.tsv") == videos


def test_touch_changes_nothing_but_content_does(folder: Path, tmp_path: Path) -> None:
    index = tmp_path / "index.tsv"
    before = shard_lists(update_index(folder, index), 3)
    os.utime(folder / "a.mp4", (1, 1))
    assert shard_lists(update_index(folder, index), 3) == before
    (folder / "a.mp4").write_bytes((folder / "a.mp4").read_bytes()[:-1] + b"\xff")
    after = shard_lists(update_index(folder, index), 3)
    changed = {shard for shard in before if before[shard] != after[shard]}
    assert changed == {shard_of("a.mp4", 3)}


def test_an_unchanged_source_is_not_read_nor_its_index_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index.tsv"
    videos = update_index(folder, index)
    os.utime(index, (1, 1))
    monkeypatch.setattr("simhand.videos.index.content_fingerprint", lambda path: pytest.fail(f"{path} was read"))
    assert update_index(folder, index) == videos
    assert index.stat().st_mtime == 1


def test_adding_and_removing_a_video_leaves_other_shards(folder: Path, tmp_path: Path) -> None:
    index = tmp_path / "index.tsv"
    before = shard_lists(update_index(folder, index), 50)
    (folder / "new.mp4").write_bytes((folder / "a.mp4").read_bytes())
    after = shard_lists(update_index(folder, index), 50)
    assert {shard for shard in after if after[shard] != before.get(shard)} == {shard_of("new.mp4", 50)}
    (folder / "new.mp4").unlink()
    assert shard_lists(update_index(folder, index), 50) == before


def test_odd_files_are_listed_without_harm(folder: Path, tmp_path: Path) -> None:
    (folder / "broken.mp4").write_text("this is text")
    (folder / "nowhere.mp4").symlink_to("missing")
    os.mkfifo(folder / "pipe.mp4")
    (folder / "loop").symlink_to(folder)
    videos = {video.video_id: video for video in update_index(folder, tmp_path / "index.tsv")}
    assert set(videos) == {"a.mp4", "deep/b c ä.mkv", "broken.mp4", "nowhere.mp4", "pipe.mp4"}
    assert videos["broken.mp4"].duration_s == 0
    assert videos["nowhere.mp4"].fingerprint.startswith("unreadable")
    assert videos["pipe.mp4"].fingerprint == "not a file"


def test_a_file_that_could_not_be_read_is_tried_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> str:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr("simhand.videos.index.content_fingerprint", fail)
        assert update_index(folder, tmp_path / "index.tsv")[0].fingerprint == "unreadable: Input/output error"
    assert update_index(folder, tmp_path / "index.tsv")[0].fingerprint == content_fingerprint(folder / "a.mp4")


def test_a_name_that_is_no_text_is_refused(folder: Path, tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/b\xff.mp4")).write_bytes(b"x")
    with pytest.raises(ConfigError, match=r"(?s)not UTF-8.*udcff"):
        update_index(folder, tmp_path / "index.tsv")


def test_a_folder_without_videos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no videos"):
        update_index(tmp_path, tmp_path / "index.tsv")


def test_a_damaged_index_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "index.tsv").write_text("video_id\tpath\nx\n")
    with pytest.raises(TableError, match="delete it"):
        read_index(tmp_path / "index.tsv")


def test_fingerprint_sees_one_byte_in_a_small_file_and_the_size_of_a_large_one(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(bytes(3_000_000))
    first = content_fingerprint(path)
    path.write_bytes(bytes(1_500_000) + b"\1" + bytes(1_499_999))
    assert content_fingerprint(path) != first
    path.write_bytes(bytes(20_000_000))
    large = content_fingerprint(path)
    path.write_bytes(bytes(20_000_001))
    assert content_fingerprint(path) != large


def test_the_list_of_a_shard_survives_any_name(tmp_path: Path) -> None:
    rows = [('tab\there "quoted".mp4', "/x/tab\there.mp4", 3, "f"), ("zwei\nZeilen.mp4", "/x/z", 4, "g")]
    write_shard_list(rows, tmp_path / "list.tsv")
    assert read_shard_list(tmp_path / "list.tsv") == [(row[0], row[1]) for row in rows]


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


def test_most_frames_of_a_source(folder: Path, tmp_path: Path) -> None:
    videos = update_index(folder, tmp_path / "index.tsv")
    assert max_frames(videos, fps=2.0) >= 4 + 2
    (folder / "broken.mp4").write_text("text")
    assert max_frames(update_index(folder, tmp_path / "index.tsv"), fps=2.0) == max_frames(videos, fps=2.0)
