from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from simhand.errors import WorkerError
from simhand.files import open_arrow, read_parquet
from simhand.frames.decode import Request
from simhand.frames.sampling import sample_shard
from simhand.frames.settings import SamplingSettings
from simhand.tables import FRAMES, VIDEO_STATUS
from simhand.videos.index import write_shard_list
from tests.conftest import ROOT, WriteVideo
from tests.frames.numbered import at_thirty, numbers, sample, write_numbered


def test_frames_are_those_shown_at_each_second(tmp_path: Path, write_video: WriteVideo) -> None:
    video = write_video(tmp_path / "a.mp4", np.arange(0, 3, 0.25).tolist())
    rows, statuses = sample(tmp_path, [video], SamplingSettings(fps=1))
    assert [row["frame_index"] for row in rows["a.mp4"]] == [0, 4, 8]
    assert [row["timestamp_s"] for row in rows["a.mp4"]] == pytest.approx([0, 1, 2], abs=0.02)
    assert [round(float(row["image"].mean())) for row in rows["a.mp4"]] == pytest.approx([0, 40, 80], abs=3)
    assert rows["a.mp4"][0]["image"].shape == (64, 96, 3)
    assert statuses["a.mp4"]["status"] == "ok"
    assert statuses["a.mp4"]["frames"] == 3
    assert statuses["a.mp4"]["duration_s"] == pytest.approx(3.0, abs=0.3)


def test_fps_and_duration_are_told(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "a.mp4", [i / 25 for i in range(100)])
    _, statuses = sample(tmp_path, [path], SamplingSettings())
    assert statuses["a.mp4"]["fps"] == pytest.approx(25, abs=0.1)
    assert statuses["a.mp4"]["duration_s"] == pytest.approx(4.0, abs=0.02)


def test_jpegs_are_of_the_quality_asked_for(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "a.mp4", at_thirty(10))
    sizes = []
    for quality in (30, 95):
        rows, _ = sample(tmp_path, [path], SamplingSettings(jpeg_quality=quality))
        sizes.append(len(rows["a.mp4"][0]["jpeg"]))
    assert sizes[0] < sizes[1]


def test_an_empty_shard_gives_empty_tables(tmp_path: Path) -> None:
    assert sample(tmp_path, [], SamplingSettings(), workers=2) == ({}, {})


def shard_of_many(folder: Path) -> list[Path]:
    """Long and short ones, so that later ones finish before earlier ones, and one that is damaged."""
    lengths = [400, 10, 10, 10, 200, 10, 10, 10, 10, 10, 10, 10]
    paths = [write_numbered(folder / f"{i:02d}.mp4", at_thirty(length)) for i, length in enumerate(lengths)]
    paths[3].write_bytes(b"text")
    return paths


def test_the_same_bytes_come_out_with_any_number_of_workers(tmp_path: Path) -> None:
    paths = shard_of_many(tmp_path)
    results = []
    for workers in (1, 2, 5):
        rows, statuses = sample(tmp_path, paths, SamplingSettings(fps=5), workers=workers)
        assert numbers(rows["00.mp4"]) == list(range(0, 400, 6))
        assert statuses["03.mp4"]["status"] == "corrupt"
        results.append([(tmp_path / name).read_bytes() for name in ("frames.arrow", "status.parquet")])
    assert results[0] == results[1] == results[2]


def test_progress_and_every_failure_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    paths = shard_of_many(tmp_path)
    with caplog.at_level(logging.INFO):
        sample(tmp_path, paths, SamplingSettings(), workers=2)
    assert "videos: 12 of 12 (100 %)" in caplog.text
    assert " frames, done after " in caplog.text
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == ["03.mp4: corrupt, 0 frames Invalid data found when processing input"]


def test_a_shard_listed_without_frame_rates_is_one_of_files(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "a.mp4", at_thirty(40))
    write_shard_list([("a", str(path), 0, "")], tmp_path / "list.tsv")
    sample_shard(tmp_path / "list.tsv", tmp_path / "f.arrow", tmp_path / "s.parquet", SamplingSettings())
    assert open_arrow(tmp_path / "f.arrow", FRAMES)["frame_index"].to_pylist() == [0, 30]


_STAGE = """
import sys
from pathlib import Path
from simhand.frames.sampling import sample_shard
from simhand.frames.settings import SamplingSettings
folder, out = Path(sys.argv[1]), Path(sys.argv[1], "out")
sample_shard(folder / "list.tsv", out / "frames.arrow", out / "status.parquet", SamplingSettings(fps=30), workers=2)
"""


def start_stage(folder: Path, code: str = _STAGE) -> tuple[subprocess.Popen[bytes], list[psutil.Process]]:
    """A running stage, in the middle of writing frames, and its children, the one that started last before the other.

    The other can be about to end by itself.
    """
    stage = subprocess.Popen([sys.executable, "-c", code, str(folder)], cwd=ROOT)
    ends_at = time.monotonic() + 60
    while time.monotonic() < ends_at:
        children = psutil.Process(stage.pid).children(recursive=True)
        written = sum(path.stat().st_size for path in (folder / "out").glob(".*.partial"))
        if written > 20_000 and len(children) == 2:
            return stage, sorted(children, key=psutil.Process.create_time, reverse=True)
        time.sleep(0.02)
    raise AssertionError("the stage did not get under way")


@pytest.mark.parametrize("killed_by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_stage_leaves_no_child_and_nothing_half_written(tmp_path: Path, killed_by: signal.Signals) -> None:
    short = write_numbered(tmp_path / "short.mp4", at_thirty(60))
    long = write_numbered(tmp_path / "long.mp4", at_thirty(620), size=(960, 640), options={"preset": "ultrafast"})
    rows = [(f"{i}", str(path), 0, "", 0.0) for i, path in enumerate([short, *[long] * 6])]
    write_shard_list(rows, tmp_path / "list.tsv")
    stage, children = start_stage(tmp_path)
    stage.send_signal(killed_by)
    assert stage.wait(10) != 0
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert not names & {"frames.arrow", "status.parquet"}
    assert all(name.endswith(".partial") for name in names)

    write_shard_list(rows[:1], tmp_path / "list.tsv")  # it starts again, and sweeps up
    subprocess.run([sys.executable, "-c", _STAGE, str(tmp_path)], cwd=ROOT, check=True)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"frames.arrow", "status.parquet"}
    assert read_parquet(tmp_path / "out" / "status.parquet", VIDEO_STATUS)["frames"].to_pylist() == [60]


def test_a_full_disk_is_no_fault_of_the_video(tmp_path: Path) -> None:
    video = write_numbered(tmp_path / "video.mp4", at_thirty(60), size=(960, 640))
    write_shard_list([("video.mp4", str(video), 0, "", 0.0)], tmp_path / "list.tsv")
    little = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n{_STAGE}"
    ended = subprocess.run(
        [sys.executable, "-c", little, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "WorkerError: cannot sample videos" in ended.stderr
    assert "video.mp4" in ended.stderr
    assert "cannot write frames: File too large" in ended.stderr
    assert not list((tmp_path / "out").glob("*"))


def test_somebody_who_ends_a_decoder_ends_the_stage(tmp_path: Path) -> None:
    long = write_numbered(tmp_path / "long.mp4", at_thirty(620), size=(960, 640), options={"preset": "ultrafast"})
    write_shard_list([(f"{i}", str(long), 0, "", 0.0) for i in range(4)], tmp_path / "list.tsv")
    stage, children = start_stage(tmp_path)
    children[0].terminate()
    assert stage.wait(20) == 1
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(("memory_mb", "code"), [(700 + 2 * 500, 1), (700 + 2 * 4096, 0)])
def test_a_decoder_that_is_killed_costs_its_video_where_it_had_what_it_may_take(
    tmp_path: Path, memory_mb: int, code: int
) -> None:
    """With less, its job fails, to be tried again with more."""
    video = write_numbered(tmp_path / "long.mp4", at_thirty(620), size=(960, 640), options={"preset": "ultrafast"})
    write_shard_list([(f"{i}", str(video), 0, "", 0.0) for i in range(4)], tmp_path / "list.tsv")
    stage, children = start_stage(tmp_path, _STAGE.replace("workers=2", f"workers=2, memory_mb={memory_mb}"))
    children[0].kill()
    assert stage.wait(60) == code
    if code == 0:
        statuses = read_parquet(tmp_path / "out" / "status.parquet", VIDEO_STATUS)["status"].to_pylist()
        assert sorted(statuses) == ["memory", "ok", "ok", "ok"]


def test_a_decoder_that_is_not_installed_is_no_fault_of_the_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = write_numbered(tmp_path / "video.mp4", at_thirty(30))
    write_shard_list([("video.mp4", str(video), 0, "", 0.0)], tmp_path / "list.tsv")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "decord.py").write_text('raise ImportError("libavcodec.so.58: cannot open")')
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    with pytest.raises(WorkerError, match=r"(?s)cannot sample videos.*libavcodec\.so\.58.*mend that.*start again"):
        sample_shard(
            tmp_path / "list.tsv", tmp_path / "f.arrow", tmp_path / "s.parquet", SamplingSettings(decoder="decord")
        )


def test_a_child_whose_parent_is_gone_does_nothing() -> None:
    request = Request("x", 1.0, 95, "pyav", 0.0, 4096, parent=os.getpid() + 1)
    command = [sys.executable, "-m", "simhand.frames.decode", json.dumps(request._asdict())]
    ended = subprocess.run(command, check=False, capture_output=True)
    assert (ended.returncode, ended.stdout) == (1, b"")
    assert b"the parent is gone" in ended.stderr


def test_the_decoding_process_loads_little() -> None:
    code = (
        "import sys, simhand.frames.decode, simhand.frames.pyav_decoder, simhand.frames.image_folder\n"
        "sys.exit(' '.join({'numpy', 'pyarrow', 'cv2', 'decord', 'pydantic'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert ended.stderr.strip() == ""
