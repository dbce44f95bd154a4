"""Which jobs failed, by Snakemake's own logs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

LOGS = Path(".snakemake/log")
_READ = 20  # logs, from the newest on: so many calls of snakemake are looked back at
_STARTED = re.compile(r"^(?:local)?(?:rule|checkpoint) (\S+):$")
_FINISHED = re.compile(r"^Finished jobid: (\d+) ")
_FAILED = re.compile(r"^Error in rule (\S+):$")
_FIELD = re.compile(r"^    (message|jobid|output|log): ?(.*)$")
_RESTART = re.compile(r"^Trying to restart job (\d+)\.")
_TIME = re.compile(r"^\[(.*)\]$")
_LOG_NOTE = " (check log file(s) for error details)"


class Failure(NamedTuple):
    """A try of a job that failed, and was the last of that call of snakemake.

    Args:
        rule: of the job.
        output: what it was to make, as Snakemake writes it.
        logs: its log and, on a cluster, that of the cluster.
        message: what Snakemake or the cluster says.
        when: as Snakemake writes it.
    """

    rule: str
    output: str
    logs: tuple[str, ...]
    message: str
    when: str


class Ends(NamedTuple):
    """How jobs of one call of snakemake ended.

    Args:
        failed: those that failed and were not tried again.
        finished: rules and outputs of those that were made.
    """

    failed: list[Failure]
    finished: set[tuple[str, str]]


def read_logs(folder: Path = LOGS, *, last_only: bool = False) -> Iterator[Failure]:
    """The failures that the last calls of snakemake logged, the newest call's first; not of what was made since.

    Args:
        folder: of the logs.
        last_only: only those of the last call, which is at work: what failed before it tries again.
    """
    made: set[tuple[str, str]] = set()
    for path in newest_logs(folder)[: 1 if last_only else _READ]:
        ends = ends_of_jobs(path.read_text(errors="replace").splitlines())
        yield from (failure for failure in ends.failed if (failure.rule, failure.output) not in made)
        made |= ends.finished


def newest_logs(folder: Path = LOGS) -> list[Path]:
    """The logs of calls of snakemake, the newest first; their names begin with the time."""
    return sorted(folder.glob("*.snakemake.log"), reverse=True)


def ends_of_jobs(lines: list[str]) -> Ends:
    """What one log tells of jobs that ended.

    Args:
        lines: of the log.
    """
    started: dict[str, tuple[str, str]] = {}  # by the job's number in this call
    failed: dict[str, Failure] = {}
    finished: set[tuple[str, str]] = set()
    when = ""
    for number, line in enumerate(lines):
        if time := _TIME.match(line):
            when = time[1]
        elif start := _STARTED.match(line):
            fields = _fields(lines, number + 1)
            started[fields.get("jobid", "")] = start[1], fields.get("output", "")
        elif (end := _FINISHED.match(line)) and end[1] in started:
            finished.add(started[end[1]])
        elif block := _FAILED.match(line):
            fields = _fields(lines, number + 1)
            failed[fields.get("jobid", "")] = _failure(block[1], fields, when)
        elif restart := _RESTART.match(line):
            failed.pop(restart[1], None)
    return Ends(list(failed.values()), finished)


def _fields(lines: list[str], first: int) -> dict[str, str]:
    """Of an indented block."""
    found: dict[str, str] = {}
    for number in range(first, len(lines)):
        if not lines[number].startswith("    "):
            break
        if field := _FIELD.match(lines[number]):
            found.setdefault(field[1], field[2])
    return found


def _failure(rule: str, fields: dict[str, str], when: str) -> Failure:
    logs = fields.get("log", "").removesuffix(_LOG_NOTE)
    message = fields.get("message", "")
    return Failure(
        rule=rule,
        output=fields.get("output", ""),
        logs=tuple(logs.split(", ")) if logs else (),
        message="" if message == "None" else message,
        when=when,
    )
