"""What is at work in a folder, by locks, processes and answers such as Slurm's; on a real Slurm: tests/slurm."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simhand.status.running import look
from simhand.why.chain_job import ChainJob

FIRST, SECOND, THIRD = (ChainJob("sample_frames", ("demo", shard)) for shard in ("0of3", "1of3", "2of3"))


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder from which jobs were submitted, and a squeue that tells of them; returns the folder."""
    here = tmp_path / "here"
    (here / ".snakemake" / "slurm_logs").mkdir(parents=True)
    said = [
        f"1|RUNNING|rule_sample_frames_wildcards_demo_0of3|{here}",
        f"2|PENDING|rule_sample_frames_wildcards_demo_1of3|{here}",
        f"3|RUNNING|rule_sample_frames_wildcards_demo_2of3|{tmp_path}",  # of another folder
    ]
    squeue = tmp_path / "bin" / "squeue"
    squeue.parent.mkdir()
    squeue.write_text("#!/bin/sh\ncat <<'END'\n" + "\n".join(said) + "\nEND\n")
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", f"{squeue.parent}:/usr/bin:/bin")
    return here


@contextmanager
def standing_still(folder: Path, *options: str) -> Iterator[int]:
    """Within the block a process works in a folder that was called as snakemake with options; yields its number."""
    code = "import sys; print(flush=True); sys.stdin.read()"
    pipe = subprocess.PIPE
    waiting = [sys.executable, "-c", code, "snakemake", *options]
    with subprocess.Popen(waiting, cwd=folder, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()  # while it is being started Linux does not tell its words
        yield process.pid
        process.communicate()


def test_slurm_is_asked_where_it_was_used(slurm: Path) -> None:
    at_work = look(slurm)
    assert [at_work.in_queue(job) for job in (FIRST, SECOND, THIRD)] == [True, False, None]
    (slurm / ".snakemake" / "slurm_logs").rmdir()
    assert look(slurm).queue == {}


@pytest.mark.parametrize("option", ["-n", "-np", "--dry-run", "--dryrun", "--report", "--report=r.zip", "--dag"])
def test_who_only_looks_is_not_at_work(tmp_path: Path, option: str) -> None:
    with standing_still(tmp_path, "--cores", "2", option):
        assert look(tmp_path).process is None


def test_a_lock_and_a_process_together_are_a_snakemake_at_work(tmp_path: Path) -> None:
    assert look(tmp_path).is_locked is False
    (tmp_path / ".snakemake" / "locks").mkdir(parents=True)
    (tmp_path / ".snakemake" / "locks" / "0.output.lock").touch()
    assert (look(tmp_path).is_locked, look(tmp_path).is_alive) == (True, False)
    with standing_still(tmp_path, "--cores", "2", "--config", "name=n", "-Rpretrain", "-sSnakefile") as process:
        found = look(tmp_path)
        assert (found.process, found.is_alive) == (process, True)
        assert look(Path.cwd()).process != process  # it works elsewhere
    assert look(tmp_path).process is None
    assert os.uname().nodename == look(tmp_path).host
