"""A video frame by frame, as a player shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from simhand.errors import VideoError
from simhand.frames.playback import Playback
from tests.frames.numbered import at_thirty, number_of, write_numbered


def played(playback: Playback) -> list[tuple[int, float, int]]:
    return [(frame.frame_index, round(frame.timestamp_s, 3), number_of(frame.rgb)) for frame in playback]


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.avi"])
def test_all_frames_come_in_order_with_their_times(tmp_path: Path, name: str) -> None:
    playback = Playback(write_numbered(tmp_path / name, at_thirty(70)))
    assert len(playback) == 70
    assert [(index, number) for index, _, number in played(playback)] == [(i, i) for i in range(70)]
    assert [time_s for _, time_s, _ in played(playback)] == pytest.approx(at_thirty(70), abs=1.1e-3)
    assert playback.damage == ""


def test_times_are_those_of_a_varying_rate(tmp_path: Path) -> None:
    times_s = [0.0, 0.1, 0.15, 1.0, 1.01, 3.0]
    assert played(Playback(write_numbered(tmp_path / "v.mp4", times_s))) == [
        (i, time_s, i) for i, time_s in enumerate(times_s)
    ]


@pytest.mark.parametrize(("fps", "frames"), [(1, [0, 30, 60]), (10, list(range(0, 70, 3))), (1000, list(range(70)))])
def test_with_a_rate_the_frames_on_display(tmp_path: Path, fps: float, frames: list[int]) -> None:
    playback = Playback(write_numbered(tmp_path / "v.mp4", at_thirty(70)), fps)
    assert [number for *_, number in played(playback)] == frames
    assert len(playback) == len(frames)


@pytest.mark.parametrize("rotation", [0, 90, 270])
def test_pictures_are_upright(tmp_path: Path, rotation: int) -> None:
    frames = list(Playback(write_numbered(tmp_path / "v.mp4", at_thirty(3), rotation=rotation)))
    assert {frame.rgb.shape for frame in frames} == {(96, 64, 3) if rotation else (64, 96, 3)}


def test_a_damaged_video_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    whole = write_numbered(tmp_path / "w.mkv", at_thirty(300), options={"g": "30", "crf": "1"})
    (tmp_path / "half.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    playback = Playback(tmp_path / "half.mkv")
    frames = played(playback)
    assert 60 < len(frames) < 290
    assert all(index == number for index, _, number in frames)
    assert "ends after" in playback.damage


@pytest.mark.parametrize("content", [None, b"", b"this is no video\n" * 1000])
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "v.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VideoError, match=r"(?s)cannot read a video.*v\.mp4"):
        Playback(path)
