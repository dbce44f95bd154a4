"""Whether a snakemake is at work in a folder, and which of its jobs are."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from simhand.slurm import queued_jobs
from simhand.why.chain_job import ChainJob

_PROC = Path("/proc")
_LOCKS = Path(".snakemake/locks")
_OF_SLURM = Path(".snakemake/slurm_logs")
_RUNNING = {"RUNNING", "COMPLETING"}
_RUNS_NOTHING = re.compile(rb"-[Fkpqt]*n[Fkpqt]*|--(dry-?run|report(=.*)?|unlock|lint|(detailed-)?summary|dag|list.*)")


@dataclass(frozen=True)
class AtWork:
    """What is at work in a folder.

    Args:
        is_locked: whether a snakemake has locked the folder and not unlocked it: it runs, or was killed.
        process: a snakemake that works here, on this machine.
        queue: of jobs that Slurm has, by their comments: whether they run (or else wait).
        host: this machine.
    """

    is_locked: bool = False
    process: int | None = None
    queue: dict[str, bool] = field(default_factory=dict)
    host: str = "this machine"

    @property
    def is_alive(self) -> bool:
        """Whether a snakemake is known to be at work."""
        return self.is_locked and self.process is not None

    def in_queue(self, job: ChainJob) -> bool | None:
        """Whether Slurm runs a job; None: Slurm does not have it."""
        return self.queue.get(comment(job))


def look(folder: Path) -> AtWork:
    """Looks at a folder's locks, at the processes of this machine, and, where Slurm was used, at its queue."""
    is_locked = any((folder / _LOCKS).glob("*.lock"))
    jobs = queued_jobs(folder) if (folder / _OF_SLURM).is_dir() else None
    queue = {job.comment: job.state in _RUNNING for job in jobs or []}
    return AtWork(is_locked, next(_snakemakes(folder), None), queue, socket.gethostname())


def comment(job: ChainJob) -> str:
    """What Snakemake's plugin has Slurm say of a job."""
    wildcards = "_".join(job.wildcards).replace("/", "_")
    return f"rule_{job.rule}" + (f"_wildcards_{wildcards}" if wildcards else "")


def _snakemakes(folder: Path) -> Iterator[int]:
    """Processes that were called as snakemake to run jobs in a folder; those of other users cannot be told."""
    for process in sorted(_PROC.glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            is_python = (process / "exe").readlink().name.startswith("python")  # and not what started it
            is_snakemake = is_python and any(os.path.basename(word) == b"snakemake" for word in words)  # noqa: PTH119
            is_looking = any(map(_RUNS_NOTHING.fullmatch, words))
            if is_snakemake and not is_looking and (process / "cwd").readlink() == folder.resolve():
                yield int(process.name)
        except OSError:  # it has ended meanwhile, or is another user's
            continue
