"""The data half, killed without warning and started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.workflow.checkout import Checkout

_RECORDED_NS = 3 * 10**9  # a job whose outputs are so old has ended, and Snakemake has recorded that


def read_whole(path: Path) -> None:
    """Fails if a file of a stage is not whole."""
    if path.suffix == ".parquet":
        pq.read_table(path)
    elif path.suffix == ".arrow":
        pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    elif path.suffix in {".npz", ".npy"}:
        np.load(path)


def outputs(checkout: Checkout) -> list[Path]:
    """What the stages wrote: no logs, no leftovers, no index."""
    stages = [
        checkout.folder / "results" / name for name in ("frames", "hands", "balanced", "crops", "keypoints", "pools")
    ]
    return [path for stage in stages for path in sorted(stage.rglob("*")) if path.is_file() and path.name[0] != "."]


def running_in(checkout: Checkout) -> list[int]:
    """The processes that work in a checkout."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (path / "cwd").readlink() == checkout.folder.resolve():
                found.append(int(path.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


def kill_when(checkout: Checkout, pattern: str) -> int:
    """Starts the data half and kills all its processes as soon as a path matches; returns when that was, in ns."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "data"]
    environment = {**os.environ, "PYTHONPATH": str(checkout.folder)}
    process = subprocess.Popen(
        command, cwd=checkout.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    while not list(checkout.folder.glob(pattern)):
        assert process.poll() is None, f"finished before {pattern} appeared"
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    killed_ns = time.time_ns()
    process.wait()
    return killed_ns


@pytest.mark.slow
def test_killed_at_any_moment_it_leaves_whole_files_and_goes_on_from_them(
    small_demo: Path, finished: Checkout, tmp_path: Path
) -> None:
    checkout = Checkout.new(tmp_path)
    checkout.write_config(finished.config())
    shutil.copytree(small_demo, tmp_path / "demo")
    done: dict[Path, int] = {}
    moments = ("frames/demo/*", "hands/demo/*.parquet", "crops/demo/*", "pools/demo/members.parquet")  # hidden ones too
    for moment in moments:
        killed_ns = kill_when(checkout, f"results/{moment}")
        deadline = time.monotonic() + 10
        while running_in(checkout) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert running_in(checkout) == [], "workers and decoders outlive what they worked for"
        for path in outputs(checkout):
            read_whole(path)
        assert {path: path.stat().st_mtime_ns for path in done} == done, "finished files were made again"
        times = {path: path.stat().st_mtime_ns for path in outputs(checkout)}
        done = {path: time_ns for path, time_ns in times.items() if time_ns < killed_ns - _RECORDED_NS}
        checkout.snakemake("--unlock")
    checkout.snakemake("--cores", "2", "data")
    names = [path.relative_to(tmp_path) for path in outputs(checkout)]
    assert names == [path.relative_to(finished.folder) for path in outputs(finished)]
    for name in names:
        assert (tmp_path / name).read_bytes() == (finished.folder / name).read_bytes(), name
    assert list((tmp_path / "results").rglob(".*.partial")) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_politely_it_stops_soon_and_unlocks(finished: Checkout, tmp_path: Path, number: int) -> None:
    checkout = Checkout.new(tmp_path)
    checkout.write_config(finished.config())
    (tmp_path / "demo").symlink_to(finished.folder / "demo")
    process = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", "data"], cwd=tmp_path, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not list(tmp_path.glob("results/frames/demo/*")):
        assert process.poll() is None
        time.sleep(0.02)
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)  # Ctrl-C reaches all processes
    assert process.wait(timeout=60) != 0
    assert running_in(checkout) == []
    for path in outputs(checkout):
        read_whole(path)
    assert checkout.to_do() != set()  # neither locked nor incomplete
