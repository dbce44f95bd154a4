"""How a job ends when something is in its way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

_JOB = """
import resource, sys
from pathlib import Path
import pyarrow as pa
from simhand.files import write_parquet
from simhand.logs import job_log
with job_log(sys.argv[1]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    table = pa.table({"x": pa.array(range(100_000))})
    write_parquet(table, Path(sys.argv[2]), table.schema)
"""


def test_a_full_disk_is_told_and_nothing_half_written_stays(tmp_path: Path) -> None:
    out = tmp_path / "out" / "x.parquet"
    command = [sys.executable, "-c", _JOB, str(tmp_path / "job.log"), str(out)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "File too large" in (tmp_path / "job.log").read_text()
    assert "make room and start again" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(out.parent.iterdir()) == []


def end_of(job: str) -> subprocess.CompletedProcess[str]:
    """How a process ends that runs this."""
    return subprocess.run([sys.executable, "-c", job], cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_log_on_a_full_disk_leaves_the_message_alone() -> None:
    """The log's disk is full as soon as it is opened, as Linux offers one."""
    job = "import sys; from simhand.errors import TableError; from simhand.logs import job_log\n"
    ended = end_of(job + "with job_log('/dev/full'): raise TableError('a mistake', hint='mend it')")
    assert ended.returncode == 1
    assert ended.stderr.endswith(" a mistake\n  hint:     mend it\n")
    assert len(ended.stderr.splitlines()) == 2


def test_ctrl_c_is_told_in_a_word() -> None:
    job = "import os, signal; from simhand.logs import job_log\n"
    ended = end_of(job + "with job_log(): os.kill(os.getpid(), signal.SIGINT)")
    assert ended.returncode == 130
    assert ended.stderr.endswith(" interrupted\n")
    assert len(ended.stderr.splitlines()) == 1
