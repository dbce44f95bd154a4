"""`simhand status` while a real snakemake runs, after it was killed, and after a job of it failed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simhand.status.failures import LOGS, ends_of_jobs, newest_logs
from tests.conftest import WriteVideo
from tests.workflow.checkout import Checkout

FRAMES = "results/frames/grey/0of1.arrow"


@pytest.fixture
def grey(tmp_path: Path, write_video: WriteVideo) -> Checkout:
    """A checkout with a video without hands: its pool cannot be drawn."""
    checkout = Checkout.new(tmp_path)
    write_video(tmp_path / "videos" / "grey.mp4", [i / 2 for i in range(30)])
    sources = {"grey": {"videos": "videos", "shards": 1}}
    checkout.write_config({"sources": sources, "pools": {"all": {"sources": ["grey"]}}})
    return checkout


def status(checkout: Checkout) -> tuple[int, str]:
    """The exit status and what is said, without what Snakemake and the planning print before it."""
    done = checkout.run("simhand", "status", "data", check=False)
    return done.returncode, done.stdout[done.stdout.index(" jobs done.") - 8 :]


def is_begun(checkout: Checkout, path: str) -> bool:
    markers = checkout.folder.glob(".snakemake/incomplete/*")
    return any(urlsafe_b64decode(marker.name).decode() == path for marker in markers)


@contextmanager
def stopped_at(checkout: Checkout, path: str) -> Iterator[int]:
    """Within the block a snakemake that has begun to make a file stands still, with all its jobs; then it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", "data"], cwd=checkout.folder, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(checkout.folder)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not is_begun(checkout, path):
            assert process.poll() is None
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGSTOP)
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_running_killed_unlocked_and_failed(grey: Checkout) -> None:
    with stopped_at(grey, FRAMES) as process:
        code, text = status(grey)
        assert code == 0
        assert f" of 11 jobs done. snakemake is at work (process {process}, .snakemake/log/" in text
        assert "  list_videos        ##########  1 of 1\n  sample_frames      ..........  0 of 1, 1 running\n" in text
        assert "  detect_hands       ..........  0 of 1, 1 to do\n" in text
    code, text = status(grey)
    assert code == 0
    assert "The folder is locked, but no snakemake works here" in text
    assert "  sample_frames      ..........  0 of 1, 1 started\n" in text
    grey.snakemake("--unlock")
    assert "  sample_frames      ..........  0 of 1, 1 interrupted\n" in status(grey)[1]

    failed = grey.snakemake("--cores", "1", "data", check=False)
    assert "the same command goes on.\n`simhand status`, with the same --configfile" in failed.stdout
    code, text = status(grey)
    assert code == 1
    assert "7 of 11 jobs done. No snakemake is at work here.\n" in text
    assert "  draw_pool          ..........  0 of 1, 1 failed\n" in text
    assert "1 job failed:\n\n  draw_pool all, " in text
    assert "  results/logs/draw_pool/all.log:\n    20" in text
    assert "      hint:  " in text

    ends = ends_of_jobs(newest_logs(grey.folder / LOGS)[0].read_text().splitlines())
    assert [failure.rule for failure in ends.failed] == ["draw_pool"]
    assert ("sample_frames", f"{FRAMES}, results/frames/grey/0of1.status.parquet") in ends.finished
    assert {rule for rule, _ in ends.finished} >= {"detect_hands", "balance_hands", "crop_hands", "find_keypoints"}
