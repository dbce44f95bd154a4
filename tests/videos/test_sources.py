"""Looking at folders of videos and at lists of videos."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from simhand.errors import ConfigError, TableError
from simhand.stable import shard_of
from simhand.videos import sources
from simhand.videos.index import Video, read_index, shard_lists, write_index
from simhand.videos.sources import content_fingerprint, listed_files, update_index
from tests.conftest import WriteVideo
from tests.videos.conftest import settle


def test_finds_videos_in_folders_below_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    videos = update_index("videos", folder, tmp_path / "index.tsv")
    assert [video.video_id for video in videos] == ["a.mp4", "deep/b c ä.mkv"]
    assert [video.path for video in videos] == [str(folder / "a.mp4"), str(folder / "deep" / "b c ä.mkv")]
    assert videos[0].duration_s == pytest.approx(1.5 + 1 / 30, abs=0.6)
    assert read_index(tmp_path / "index.tsv") == videos


def test_touch_changes_nothing_but_content_does(folder: Path, tmp_path: Path) -> None:
    index = tmp_path / "index.tsv"
    before = shard_lists(update_index("videos", folder, index), 3)
    os.utime(folder / "a.mp4", (1, 1))
    assert shard_lists(update_index("videos", folder, index), 3) == before
    (folder / "a.mp4").write_bytes((folder / "a.mp4").read_bytes()[:-1] + b"\xff")
    after = shard_lists(update_index("videos", folder, index), 3)
    changed = {shard for shard in before if before[shard] != after[shard]}
    assert changed == {shard_of("a.mp4", 3)}


def test_an_unchanged_source_is_not_read_nor_its_index_written(folder: Path, tmp_path: Path, read: list[str]) -> None:
    index = tmp_path / "index.tsv"
    videos = update_index("videos", folder, index)
    assert sorted(read) == ["a.mp4", "b c ä.mkv"]
    os.utime(index, (1, 1))
    assert update_index("videos", folder, index) == videos
    assert len(read) == 2
    assert index.stat().st_mtime == 1


def test_a_file_that_just_changed_is_read_again_since_it_may_change_within_the_same_tick(
    folder: Path, tmp_path: Path, read: list[str]
) -> None:
    os.utime(folder / "a.mp4")
    update_index("videos", folder, tmp_path / "index.tsv")
    time.sleep(2.1)
    update_index("videos", folder, tmp_path / "index.tsv")
    update_index("videos", folder, tmp_path / "index.tsv")
    assert read.count("a.mp4") == 2


def test_adding_and_removing_a_video_leaves_other_shards(folder: Path, tmp_path: Path) -> None:
    index = tmp_path / "index.tsv"
    before = shard_lists(update_index("videos", folder, index), 50)
    (folder / "new.mp4").write_bytes((folder / "a.mp4").read_bytes())
    after = shard_lists(update_index("videos", folder, index), 50)
    assert {shard for shard in after if after[shard] != before.get(shard)} == {shard_of("new.mp4", 50)}
    (folder / "new.mp4").unlink()
    assert shard_lists(update_index("videos", folder, index), 50) == before


def test_odd_files_are_listed_without_harm(folder: Path, tmp_path: Path) -> None:
    (folder / "broken.mp4").write_text("this is text")
    (folder / "nowhere.mp4").symlink_to("missing")
    os.mkfifo(folder / "pipe.mp4")
    (folder / "loop").symlink_to(folder)
    (folder / "folder.mp4").mkdir()
    videos = {video.video_id: video for video in update_index("videos", folder, tmp_path / "index.tsv")}
    assert set(videos) == {"a.mp4", "deep/b c ä.mkv", "broken.mp4", "nowhere.mp4", "pipe.mp4"}
    assert videos["broken.mp4"].duration_s == 0
    assert videos["nowhere.mp4"].fingerprint == "unreadable: No such file or directory"
    assert videos["pipe.mp4"].fingerprint == "not a file"


def test_a_file_that_could_not_be_read_is_tried_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> str:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr("simhand.videos.sources.content_fingerprint", fail)
        first = update_index("videos", folder, tmp_path / "index.tsv")[0]
        assert first.fingerprint == "unreadable: Input/output error"
    first = update_index("videos", folder, tmp_path / "index.tsv")[0]
    assert first.fingerprint == content_fingerprint(folder / "a.mp4")


def test_a_name_that_is_no_text_is_refused(folder: Path, tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/b\xff.mp4")).write_bytes(b"x")
    with pytest.raises(ConfigError, match=r"(?s)not UTF-8.*udcff"):
        update_index("videos", folder, tmp_path / "index.tsv")


def test_a_folder_without_videos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"(?s)no videos.*where:.*expected:.*\.mp4.*got:"):
        update_index("videos", tmp_path, tmp_path / "index.tsv")


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


def test_the_known_videos_of_a_large_source_cost_stats_alone(tmp_path: Path, read: list[str]) -> None:
    folder = tmp_path / "videos"
    videos = []
    for i in range(3000):
        path = folder / f"{i % 10}" / f"{i:04d}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        videos.append(Video(f"{i % 10}/{i:04d}.mp4", str(path), 0, 10**18, "f", 1.0))
    settle(folder)
    write_index(sorted(videos), tmp_path / "index.tsv")
    os.utime(tmp_path / "index.tsv", (1, 1))
    assert update_index("videos", folder, tmp_path / "index.tsv") == sorted(videos)
    assert read == []
    assert (tmp_path / "index.tsv").stat().st_mtime == 1


# Lists.


def write_list(path: Path, *lines: str) -> Path:
    path.write_bytes("\n".join(lines).encode())
    return path


def test_a_list_names_videos_by_path_or_by_id(folder: Path, tmp_path: Path) -> None:
    listed = write_list(
        tmp_path / "list.txt",
        "\ufeff# my videos",
        "videos/a.mp4",
        "",
        "  # another",
        f"kitchen 1\t{folder}/deep/b c ä.mkv\r",
        "videos/missing.mp4",
    )
    videos = update_index("list", listed, tmp_path / "index.tsv")
    assert [(video.video_id, video.path) for video in videos] == [
        ("kitchen 1", str(folder / "deep" / "b c ä.mkv")),
        ("videos/a.mp4", str(folder / "a.mp4")),
        ("videos/missing.mp4", str(folder / "missing.mp4")),
    ]
    assert videos[1].fingerprint == content_fingerprint(folder / "a.mp4")
    assert videos[1].duration_s > 1
    assert videos[2].fingerprint == "unreadable: No such file or directory"


def test_the_order_of_a_list_says_nothing_and_its_videos_are_known_again(
    folder: Path, tmp_path: Path, read: list[str]
) -> None:
    lines = ["videos/a.mp4", "b\tvideos/deep/b c ä.mkv"]
    first = update_index("list", write_list(tmp_path / "list.txt", *lines), tmp_path / "index.tsv")
    again = update_index("list", write_list(tmp_path / "list.txt", *reversed(lines)), tmp_path / "index.tsv")
    assert first == again
    assert len(read) == 2


def test_a_listed_path_may_hold_a_hash_within(tmp_path: Path) -> None:
    listed = write_list(tmp_path / "list.txt", "1\tx#1.mp4", "2\tx#2.mp4")
    assert listed_files(listed) == {"1": str(tmp_path / "x#1.mp4"), "2": str(tmp_path / "x#2.mp4")}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["a.mp4", "b.mp4", "# c", "a.mp4"], ["an id twice", "lines 1 and 4", "got:", "a.mp4", "hint:"]),
        (["x\ta.mp4", "x\tb.mp4"], ["an id twice", "lines 1 and 2", "x"]),
        (["x\ta.mp4", "x"], ["an id twice", "lines 1 and 2"]),
        (["", "# nothing"], ["a list of videos is empty", "expected:", "got:"]),
        (["name\t"], ["no path", "line 1"]),
        (["v.mp4", "w.mp4", "./v.mp4"], ["a file twice", "lines 1 and 3", "v.mp4", "remove one"]),
        (["1\tv.mp4", "2\tdeep/../v.mp4"], ["a file twice", "lines 1 and 2"]),
        (["v\0.mp4"], ["NUL", "line 1"]),
    ],
)
def test_a_mistake_in_a_list_is_named(tmp_path: Path, lines: list[str], words: list[str]) -> None:
    listed = write_list(tmp_path / "list.txt", *lines)
    with pytest.raises(ConfigError) as caught:
        update_index("list", listed, tmp_path / "index.tsv")
    for word in [*words, "list.txt"]:
        assert word in str(caught.value)


def test_a_list_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"a.mp4\n\xff\xfe\n")
    with pytest.raises(ConfigError, match=r"(?s)not text in UTF-8.*list.txt.*save it"):
        update_index("list", tmp_path / "list.txt", tmp_path / "index.tsv")
    with pytest.raises(ConfigError, match=r"(?s)cannot read a list.*No such file"):
        update_index("list", tmp_path / "none.txt", tmp_path / "index.tsv")


# Folders of frames.


def test_ids_do_not_depend_on_links_to_the_same_folder(folder: Path, tmp_path: Path) -> None:
    before = update_index("videos", folder, tmp_path / "index.tsv")
    for name in ("a link", "zz link"):  # before and after the real one, whatever the order of the listing
        (folder / name).symlink_to("deep")
    (folder / "deep" / "loop").symlink_to(folder)
    assert update_index("videos", folder, tmp_path / "index.tsv") == before


def test_copies_are_warned_of_once(folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "copy.mp4").write_bytes((folder / "a.mp4").read_bytes())
    (folder / "link.mp4").symlink_to("a.mp4")
    update_index("videos", folder, tmp_path / "index.tsv")
    assert "2 videos are copies of others, copy.mp4 of a.mp4 for one" in caplog.text
    settle(folder)
    update_index("videos", folder, tmp_path / "index.tsv")
    caplog.clear()
    update_index("videos", folder, tmp_path / "index.tsv")
    assert caplog.text == ""


def test_who_stops_a_long_first_look_goes_on_from_what_was_seen(
    folder: Path, tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(5):
        (folder / f"{i}.mp4").write_bytes(bytes([i]))
    settle(folder)
    monkeypatch.setattr(sources, "_GROUP", 2)
    monkeypatch.setattr(sources, "_KEEP_EVERY_S", -1.0)
    looks = sources._look_anew
    fifth = [name for name in sources.names_below(str(folder)) if name != "notes.txt"][4]

    def interrupted(video_id: str, *rest: Any) -> Video:
        if video_id == fifth:
            raise KeyboardInterrupt
        return looks(video_id, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(sources, "_look_anew", interrupted)
        with pytest.raises(KeyboardInterrupt):
            update_index("videos", folder, tmp_path / "index.tsv")
    seen = {Path(video.path).name for video in read_index(tmp_path / "index.tsv")}
    assert len(seen) == 4
    read.clear()
    assert len(update_index("videos", folder, tmp_path / "index.tsv")) == 7
    assert (
        set(read)
        == {path.name for path in folder.rglob("*.m*") if path.name[0] != "." and ".trash" not in path.parts} - seen
    )


def test_links_to_other_folders_are_followed_once(folder: Path, tmp_path: Path, write_video: WriteVideo) -> None:
    write_video(tmp_path / "elsewhere" / "c.mp4", [0, 0.5])
    for name in ("m", "k"):
        (folder / name).symlink_to(tmp_path / "elsewhere")
    videos = update_index("videos", folder, tmp_path / "index.tsv")
    assert [video.video_id for video in videos] == ["a.mp4", "deep/b c ä.mkv", "k/c.mp4"]


def test_a_name_with_a_carriage_return_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "a.mp4").rename(folder / "a\r.mp4")
    with pytest.raises(ConfigError, match=r"(?s)carriage return.*a\\r\.mp4.*rename"):
        update_index("videos", folder, tmp_path / "index.tsv")


def test_an_index_that_cannot_be_written_is_told_plainly(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("no folder")
    index = tmp_path / "results" / "index.tsv"
    with pytest.raises(TableError, match=rf"(?s)cannot write an index.*{index}.*File exists.*make room"):
        update_index("videos", folder, index)
