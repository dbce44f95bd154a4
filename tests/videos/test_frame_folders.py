"""Looking at folders of extracted frames."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from simhand.errors import ConfigError
from simhand.videos.index import read_index
from simhand.videos.sources import update_index
from tests.videos.conftest import settle


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    folder = tmp_path / "frames"
    for name, images in {
        "p01/v1": ["frame_0.jpg", "frame_30.jpg", "frame_59.jpg", "notes.txt"],
        "p01/v2": ["1.png", "2.WEBP", "3.jpeg"],
        "p02": ["x.jpg"],
        "p02/left": ["a10.jpg", "a9.jpg"],
        "texts": ["a.txt"],
        ".hidden": ["a.jpg"],
    }.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for image in images:
            (folder / name / image).write_bytes(b"image")
    settle(folder)
    return folder


def test_each_folder_with_images_is_a_video(frames: Path, tmp_path: Path) -> None:
    (frames / "cover.jpg").write_bytes(b"image")  # of no video
    videos = update_index("frames", frames, tmp_path / "index.tsv", frame_rate=30.0)
    assert [video.video_id for video in videos] == ["p01/v1", "p01/v2", "p02", "p02/left"]
    assert [video.path for video in videos] == [str(frames / video.video_id) for video in videos]
    assert [video.size_bytes for video in videos] == [15, 15, 5, 10]
    assert [video.duration_s for video in videos] == pytest.approx([2.0, 0.1, 1 / 30, 2 / 30], abs=1e-3)
    assert {video.frame_rate for video in videos} == {30.0}
    assert read_index(tmp_path / "index.tsv") == videos


def test_a_folder_of_frames_is_listed_again_only_when_it_changed(frames: Path, tmp_path: Path, read: list[str]) -> None:
    before = update_index("frames", frames, tmp_path / "index.tsv")
    read.clear()
    assert update_index("frames", frames, tmp_path / "index.tsv") == before
    assert read == ["p02"]  # folders within it may have changed
    (frames / "p01" / "v2" / "4.png").write_bytes(b"image")
    after = update_index("frames", frames, tmp_path / "index.tsv")
    assert sorted(read) == ["p01/v2", "p02", "p02"]
    assert [one.video_id for one, other in zip(before, after, strict=True) if one.fingerprint != other.fingerprint] == [
        "p01/v2"
    ]


def test_names_and_sizes_make_the_fingerprint_of_a_folder_of_frames(frames: Path, tmp_path: Path) -> None:
    def fingerprints() -> dict[str, str]:
        (tmp_path / "index.tsv").unlink(missing_ok=True)
        return {video.video_id: video.fingerprint for video in update_index("frames", frames, tmp_path / "index.tsv")}

    first = fingerprints()
    settle(frames, 2e9)
    assert fingerprints() == first
    (frames / "p02" / "x.jpg").write_bytes(b"larger image")
    assert fingerprints()["p02"] != first["p02"]
    (frames / "p01" / "v1" / "frame_0.jpg").rename(frames / "p01" / "v1" / "frame_1.jpg")
    assert fingerprints()["p01/v1"] != first["p01/v1"]
    assert fingerprints()["p01/v2"] == first["p01/v2"]


def test_images_that_come_to_a_folder_inside_a_known_one_are_found(frames: Path, tmp_path: Path) -> None:
    (frames / "p01" / "v1" / "more").mkdir()
    settle(frames)
    before = update_index("frames", frames, tmp_path / "index.tsv")
    (frames / "p01" / "v1" / "more" / "1.jpg").write_bytes(b"image")
    os.utime(frames / "p01" / "v1", (1e9, 1e9))
    after = update_index("frames", frames, tmp_path / "index.tsv")
    assert {video.video_id for video in after} - {video.video_id for video in before} == {"p01/v1/more"}


def test_another_frame_rate_changes_durations(frames: Path, tmp_path: Path) -> None:
    update_index("frames", frames, tmp_path / "index.tsv", frame_rate=30.0)
    videos = update_index("frames", frames, tmp_path / "index.tsv", frame_rate=10.0)
    assert [video.duration_s for video in videos] == pytest.approx([6.0, 0.3, 0.1, 0.2])
    assert {video.frame_rate for video in videos} == {10.0}


def test_an_image_that_leads_nowhere_costs_itself(frames: Path, tmp_path: Path) -> None:
    before = update_index("frames", frames, tmp_path / "index.tsv")
    (frames / "p02" / "frame_0000999.jpg").symlink_to("missing")
    videos = update_index("frames", frames, tmp_path / "index.tsv")
    assert [video.video_id for video in videos] == [video.video_id for video in before]
    assert not any(video.unreadable for video in videos)


def test_ids_of_folders_of_frames_do_not_depend_on_links(frames: Path, tmp_path: Path) -> None:
    before = [video.video_id for video in update_index("frames", frames, tmp_path / "index.tsv")]
    (frames / "a link").symlink_to(frames / "p01" / "v1")
    assert [video.video_id for video in update_index("frames", frames, tmp_path / "index.tsv")] == before


def test_links_between_folders_of_frames_lead_nowhere_twice(frames: Path, tmp_path: Path) -> None:
    (frames / "p01" / "loop").symlink_to(frames)
    (frames / "p02" / "nothing").symlink_to("missing")
    videos = update_index("frames", frames, tmp_path / "index.tsv")
    assert [video.video_id for video in videos] == ["p01/v1", "p01/v2", "p02", "p02/left"]


def test_frames_that_are_not_in_folders_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    with pytest.raises(ConfigError, match=r"(?s)no frames.*where:.*frames.*expected:.*\.jpg.*got:"):
        update_index("frames", folder, tmp_path / "index.tsv")
    (folder / "1.jpg").write_bytes(b"image")
    with pytest.raises(ConfigError, match=r"(?s)no frames.*hint:.*folder above"):
        update_index("frames", folder, tmp_path / "index.tsv")
