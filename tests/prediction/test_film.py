"""Drawn videos: each frame at its time, and nothing left of one that fails."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from simhand.frames.playback import Playback
from simhand.prediction.film import film


def write(path: Path, times_s: Sequence[float]) -> Path:
    with film(path) as opened:
        for i, time_s in enumerate(times_s):
            opened.add(np.full((64, 96, 3), 10 * i % 250, np.uint8), time_s)
    return path


@pytest.mark.parametrize(
    ("times_s", "ends_s"),
    [([0.0, 0.5, 1.0, 3.0], 5.0), ([0.0], 1 / 30), ([0.0, 1.0, 2.0], 3.0), ([i / 25 for i in range(60)], 2.4)],
)
def test_frames_are_shown_at_their_times(tmp_path: Path, times_s: list[float], ends_s: float) -> None:
    path = write(tmp_path / "out" / "v.mp4", times_s)
    frames = list(Playback(path))
    assert [frame.timestamp_s for frame in frames] == pytest.approx(times_s, abs=1e-4)
    assert [round(float(frame.rgb.mean()), -1) for frame in frames] == [10 * i % 250 for i in range(len(times_s))]
    with av.open(str(path)) as container:
        assert container.duration == pytest.approx(ends_s * av.time_base, abs=2e3)


def test_equal_frames_are_equal_bytes(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, [0.0, 0.1, 0.3]) for name in ("a.mp4", "b.mp4")]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_two_frames_of_one_time_are_both_there(tmp_path: Path) -> None:
    assert len(list(Playback(write(tmp_path / "v.mp4", [0.0, 0.5, 0.5, 0.4, 1.0])))) == 5


def test_nothing_is_left_of_a_video_that_fails(tmp_path: Path) -> None:
    write(tmp_path / "v.mp4", [0.0, 0.1])
    before = (tmp_path / "v.mp4").read_bytes()
    with pytest.raises(KeyboardInterrupt), film(tmp_path / "v.mp4") as opened:
        opened.add(np.zeros((64, 96, 3), np.uint8), 0.0)
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["v.mp4"]
    assert (tmp_path / "v.mp4").read_bytes() == before
