"""In what state each job is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

from simhand.status.failures import Failure
from simhand.status.running import AtWork
from simhand.why.chain_job import ChainJob


class State(Enum):
    """Of a job; the value is what it is called."""

    DONE = "done"
    RUNNING = "running"
    QUEUED = "in the queue"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    STARTED = "started"
    AGAIN = "to run again"
    TO_DO = "to do"


def states(jobs: Sequence[ChainJob], failed: Iterable[Failure], at_work: AtWork) -> dict[ChainJob, State]:
    """The state of each job.

    Args:
        jobs: all of the chain.
        failed: what Snakemake's logs tell.
        at_work: what is at work.
    """
    outputs = {(failure.rule, failure.output) for failure in failed}
    return {job: _state(job, key(job) in outputs, at_work) for job in jobs}


def key(job: ChainJob) -> tuple[str, str]:
    """What Snakemake's logs call a job."""
    return job.rule, ", ".join(job.outputs)


def _state(job: ChainJob, has_failed: bool, at_work: AtWork) -> State:
    if not job.is_to_do:
        return State.DONE
    is_running = at_work.in_queue(job)
    if is_running is not None:
        return State.RUNNING if is_running else State.QUEUED
    if job.is_started and at_work.is_alive:
        return State.RUNNING
    if job.is_started:  # by a snakemake that was killed, or is on another machine
        return State.STARTED if at_work.is_locked else State.INTERRUPTED
    if has_failed and not job.is_there:
        return State.FAILED
    return State.AGAIN if job.is_there else State.TO_DO
