from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from simhand.files import open_arrow, read_parquet
from simhand.frames.images import decode_jpeg
from simhand.frames.sampling import sample_shard
from simhand.frames.settings import SamplingSettings
from simhand.tables import FRAMES, VIDEO_STATUS
from simhand.videos.index import write_shard_list
from tests.conftest import WriteVideo


def sample(folder: Path, paths: list[Path], settings: SamplingSettings) -> tuple[list[dict], dict[str, dict]]:
    write_shard_list([(path.name, str(path), 0, "") for path in paths], folder / "list.tsv")
    sample_shard(folder / "list.tsv", folder / "frames.arrow", folder / "status.parquet", settings)
    frames = open_arrow(folder / "frames.arrow", FRAMES)
    rows = frames.drop_columns("jpeg").to_pylist()
    for row, cell in zip(rows, frames["jpeg"], strict=True):
        row["image"] = decode_jpeg(cell)
    return rows, {row["video_id"]: row for row in read_parquet(folder / "status.parquet", VIDEO_STATUS).to_pylist()}


def test_frames_are_those_shown_at_each_second(tmp_path: Path, write_video: WriteVideo) -> None:
    video = write_video(tmp_path / "a.mp4", np.arange(0, 3, 0.25).tolist())
    rows, statuses = sample(tmp_path, [video], SamplingSettings(fps=1))
    assert [row["frame_index"] for row in rows] == [0, 4, 8]
    assert [row["timestamp_s"] for row in rows] == pytest.approx([0, 1, 2], abs=0.02)
    assert [round(float(row["image"].mean())) for row in rows] == pytest.approx([0, 40, 80], abs=3)
    assert rows[0]["image"].shape == (64, 96, 3)
    assert statuses["a.mp4"]["status"] == "ok"
    assert statuses["a.mp4"]["frames"] == 3
    assert statuses["a.mp4"]["duration_s"] == pytest.approx(3.0, abs=0.3)


def test_damaged_files_cost_their_own_row(tmp_path: Path, write_video: WriteVideo) -> None:
    good = write_video(tmp_path / "good.mp4", [0, 0.5, 1.0])
    truncated = tmp_path / "truncated.mp4"
    truncated.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("this is no video\n" * 1000)
    (tmp_path / "link.mp4").symlink_to("nowhere")
    names = ["truncated.mp4", "empty.mp4", "text.mp4", "link.mp4", "good.mp4"]
    rows, statuses = sample(tmp_path, [tmp_path / name for name in names], SamplingSettings(fps=1))
    assert {row["video_id"] for row in rows} == {"good.mp4"}
    assert [statuses[name]["status"] for name in names] == ["corrupt"] * 4 + ["ok"]
    assert all(statuses[name]["reason"] for name in names[:-1])
    assert "No such file" in statuses["link.mp4"]["reason"]


def test_a_video_that_never_ends_is_given_up(tmp_path: Path, write_video: WriteVideo) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")  # opening it waits for a writer that never comes
    good = write_video(tmp_path / "good.mp4", [0, 0.5])
    started = time.monotonic()
    _, statuses = sample(tmp_path, [tmp_path / "pipe.mp4", good], SamplingSettings(time_limit_s=5))
    assert time.monotonic() - started < 60
    assert statuses["pipe.mp4"]["status"] == "timeout"
    assert statuses["pipe.mp4"]["reason"] == "not decoded within 5 s"
    assert statuses["good.mp4"]["status"] == "ok"


def test_an_empty_shard_gives_empty_tables(tmp_path: Path) -> None:
    rows, statuses = sample(tmp_path, [], SamplingSettings())
    assert rows == []
    assert statuses == {}


def test_the_same_video_gives_the_same_bytes(tmp_path: Path, write_video: WriteVideo) -> None:
    video = write_video(tmp_path / "a.mp4", [0, 0.5, 1.0])
    sample(tmp_path, [video], SamplingSettings(fps=2))
    first = (tmp_path / "frames.arrow").read_bytes(), (tmp_path / "status.parquet").read_bytes()
    sample(tmp_path, [video], SamplingSettings(fps=2))
    assert ((tmp_path / "frames.arrow").read_bytes(), (tmp_path / "status.parquet").read_bytes()) == first
