"""What Snakemake's plugin for Slurm does not do: wait for a Slurm that is away, and look for jobs of a killed run."""

from __future__ import annotations

import logging
import shutil
import subprocess
import time
from collections.abc import Callable, Set
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from simhand.errors import OrphanError

log = logging.getLogger(__name__)

_SHOWN = 20
_AWAY_S = 1800.0  # for which a submission waits for a slurmctld that is restarted

States = dict[str, str]  # of jobs, by their numbers


class Patience:
    """Mends three ways in which the plugin (seen with 2.6.1 and 2.8.0) loses jobs.

    When it cannot ask for their states, five times within a second, it forgets all of them and waits for ever. It waits
    for ever as well for a job that Slurm has forgotten, some minutes (MinJobAge) after its end. And a job that is
    submitted while slurmctld is away has failed.

    Args:
        query: asks for the states of all jobs by a command, None where nobody answers.
    """

    def __init__(self, query: Callable[[str, Any], Any]) -> None:
        self._query = query
        self._seen: set[str] = set()

    @classmethod
    def give_to(cls, plugin: ModuleType) -> None:
        """Puts patience between the plugin and Slurm.

        Args:
            plugin: snakemake_executor_plugin_slurm.

        Raises:
            AttributeError: a version of it that has another shape.
        """
        if isinstance(getattr(plugin.query_job_status, "__self__", None), cls):
            return  # the workflow was planned twice in one process
        plugin.query_job_status = cls(plugin.query_job_status).states  # type: ignore[attr-defined]
        submit = plugin.Executor.run_job

        def patient_submit(executor: Any, job: Any) -> None:
            wait_for_slurm()
            submit(executor, job)

        plugin.Executor.run_job = patient_submit

    async def states(self, command: str, logger: logging.Logger) -> tuple[States, float]:
        """The states of jobs, and the seconds that it took to learn them.

        No answer means that none is known to have ended. A job that squeue told of before and now does not is UNKNOWN:
        the plugin takes it for finished, and Snakemake looks whether its outputs are there.
        """
        states, seconds = await self._query(command, logger)
        if states is None:
            logger.warning("Slurm does not answer; its jobs go on and are asked for again.")
            return {}, 0.0
        forgotten = self._seen - states.keys() if command.startswith("squeue") else set()
        self._seen |= states.keys()
        return states | dict.fromkeys(forgotten, "UNKNOWN"), seconds


def wait_for_slurm(at_most_s: float = _AWAY_S, every_s: float = 10.0) -> None:
    """Waits until slurmctld answers; after `at_most_s` seconds no longer, what is asked of it next then says so."""
    until = time.monotonic() + at_most_s
    told = False
    while subprocess.run(["scontrol", "ping"], capture_output=True, check=False).returncode:
        if time.monotonic() > until:
            return
        if not told:
            log.warning("Slurm does not answer: submissions wait")
        told = True
        time.sleep(every_s)


def refuse_orphans(folder: Path, comments: Set[str]) -> None:
    """Looks in Slurm's queue for jobs that would write the same files as those to be started; no Slurm, no jobs.

    A snakemake that is killed leaves its jobs to Slurm, which runs them on.

    Args:
        folder: where snakemake was called.
        comments: what the plugin would have Slurm say of the jobs to be started: their rules and wildcards.

    Raises:
        OrphanError: there are such jobs.
    """
    jobs = queued_jobs(folder)
    orphans = [job for job in jobs or [] if job.comment in comments]
    if orphans:
        raise _error(folder, orphans)


class QueuedJob(NamedTuple):
    """A job in Slurm's queue: its number there, its state (RUNNING, PENDING, ...), and what it says of itself."""

    number: str
    state: str
    comment: str


def queued_jobs(folder: Path) -> list[QueuedJob] | None:
    """What Slurm's queue has of the jobs that were submitted from a folder.

    Returns:
        None: there is no Slurm here, or it does not answer, which is logged.
    """
    if shutil.which("squeue") is None:
        return None
    command = ["squeue", "--noheader", "--format=%i|%T|%k|%Z"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        said = finished.stderr.strip().splitlines()[-1:]  # it tells of each of its tries
        log.warning("squeue does not answer, so jobs in Slurm's queue are not known: %s", "".join(said))
        return None
    jobs = [line.split("|", 3) for line in finished.stdout.splitlines()]
    return [
        QueuedJob(number, state, comment)
        for number, state, comment, submitted_from in jobs
        if Path(submitted_from).resolve() == folder.resolve()
    ]


def _error(folder: Path, orphans: list[QueuedJob]) -> OrphanError:
    shown = [f"{number} {state.lower()} {comment}" for number, state, comment in orphans[:_SHOWN]]
    more = [f"and {len(orphans) - _SHOWN} more"] if len(orphans) > _SHOWN else []
    numbers = " ".join(number for number, *_ in orphans)
    return OrphanError(
        "jobs of an earlier run still do what this one is to do",
        where=folder,
        expected="no such jobs in the queue: they would write the same files",
        got="; ".join(shown + more),
        hint=f"wait for their end, what they finish counts; or end them: scancel {numbers}",
    )
