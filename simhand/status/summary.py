"""The answer to `simhand status`: a line a rule, what runs, and how failed jobs ended."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from simhand.progress import duration
from simhand.status.failures import Failure
from simhand.status.running import AtWork
from simhand.status.states import State, key
from simhand.why.chain_job import ChainJob

_BAR = 10
_RUNNING = 5  # jobs whose progress is shown
_FAILED = 3  # jobs whose logs are shown
_NAMED = 10  # further ones that are named
_INDENT = "    "

States = Mapping[ChainJob, State]


def summary(states: States, failed: Sequence[Failure], at_work: AtWork, *, log: Path | None, lines: int) -> str:
    """How far the jobs are.

    Args:
        states: of all jobs, in the order of the chain.
        failed: what Snakemake's logs tell of failures.
        at_work: what is at work.
        log: Snakemake's newest one.
        lines: of each failed job's log that are shown.
    """
    parts = [_headline(states, at_work, log), _table(states)]
    parts += [_running(states), _failures(states, failed, lines)]
    if State.AGAIN in states.values() and not at_work.is_alive:
        parts.append("`simhand why` tells why what is there would run again.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _headline(states: States, at_work: AtWork, log: Path | None) -> str:
    done = sum(state is State.DONE for state in states.values())
    text = f"{done:,} of {len(states):,} jobs done. "
    if at_work.is_alive:
        text += f"snakemake is at work (process {at_work.process}" + (f", {log})." if log else ").")
    elif at_work.is_locked:
        text += (
            f"The folder is locked, but no snakemake works here on {at_work.host}:\n"
            f"it is on another machine, or was killed{_last_word(log)}. In the latter case call\n"
            "`snakemake --unlock`, with the same --configfile, and start it again."
        )
    elif done < len(states):
        text += "No snakemake is at work here."
    return text.rstrip()


def _last_word(log: Path | None) -> str:
    return f" (its log last grew {duration(max(0.0, time.time() - log.stat().st_mtime))} ago)" if log else ""


def _table(states: States) -> str:
    """A line a rule."""
    by_rule: dict[str, Counter[State]] = {}
    for job, state in states.items():
        by_rule.setdefault(job.rule, Counter())[state] += 1
    width = max(map(len, by_rule), default=0)
    digits = max((len(f"{counts.total():,}") for counts in by_rule.values()), default=0)
    return "\n".join(
        f"  {rule:<{width}}  {_bar(counts)}  {counts[State.DONE]:>{digits},} of {counts.total():,}{_others(counts)}"
        for rule, counts in by_rule.items()
    )


def _bar(counts: Counter[State]) -> str:
    """Full only when all is done."""
    full = _BAR * counts[State.DONE] // counts.total()
    return "#" * full + "." * (_BAR - full)


def _others(counts: Counter[State]) -> str:
    kinds = [state for state in State if state is not State.DONE and counts[state]]
    return "".join(f", {counts[state]:,} {state.value}" for state in kinds)


def _running(states: States) -> str:
    """What jobs that run last said of themselves."""
    jobs = [job for job, state in states.items() if state is State.RUNNING]
    said = [(job, lines[-1]) for job in jobs if (lines := _last_lines(job.logs, 1))]
    if not said:
        return ""
    more = [f"  and {len(said) - _RUNNING:,} more"] if len(said) > _RUNNING else []
    width = shutil.get_terminal_size((120, 24)).columns
    told = [f"  {job.name}: {line}"[:width] for job, line in said[:_RUNNING]]
    return "\n".join(["What running jobs last logged:", *told, *more])


def _failures(states: States, failed: Sequence[Failure], lines: int) -> str:
    jobs = [job for job, state in states.items() if state is State.FAILED]
    if not jobs:
        return ""
    last = {(failure.rule, failure.output): failure for failure in reversed(failed)}  # the newest stays
    head = f"{len(jobs):,} job{'s' if len(jobs) > 1 else ''} failed:"
    shown = [_failure(job, last[key(job)], lines) for job in jobs[:_FAILED]]
    others = [f"  {job.name}" for job in jobs[_FAILED : _FAILED + _NAMED]]
    if len(jobs) > _FAILED + _NAMED:
        others.append(f"  and {len(jobs) - _FAILED - _NAMED:,} more")
    further = ["Further ones:\n" + "\n".join(others)] if others else []
    return "\n\n".join([head, *shown, *further])


def _failure(job: ChainJob, failure: Failure, lines: int) -> str:
    logs = list(dict.fromkeys([*failure.logs, *job.logs]))
    text = [f"  {job.name}, {failure.when}"]
    text += [f"  {failure.message}"] if failure.message else []
    for name in logs:
        if last := _last_lines([name], lines):
            text += [f"  {name}:", *(_INDENT + line for line in last)]
            break
    else:
        text.append(f"  nothing in its log: {', '.join(logs) or 'it has none'}")
    return "\n".join(text)


def _last_lines(names: Sequence[str], count: int) -> list[str]:
    """Of the first of some logs that holds anything; blank ones are left out."""
    for name in names:
        if found := list(_tail(Path(name), count)):
            return found
    return []


def _tail(path: Path, count: int, at_most_bytes: int = 65536) -> Iterator[str]:
    if not path.is_file():
        return
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - at_most_bytes, 0))
        lines = file.read().decode(errors="replace").replace("\r", "\n").splitlines()
    yield from [line.rstrip() for line in lines if line.strip()][-count:]
