"""The answer to `simhand why`: causes first, then what follows from them, short however many jobs there are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from simhand.why.causes import Cause, causes
from simhand.why.job import Job

_NAMED = 4  # jobs that are named; more are counted
_RULES = 6  # rules whose jobs are counted one by one
_SHOWN = 5  # things of one kind that are shown
# So many paragraphs of one kind and the same rules stay apart; of other kinds the things tell where they belong.
_APART = {"settings changed": 3}

_Group = tuple[str, list[str], list[Job]]  # a kind of cause, the things that it befell, and the jobs that run for it


def explain(jobs: Sequence[Job], targets: Sequence[str]) -> str:
    """Why these jobs would run.

    Args:
        jobs: all that would run, in the order of the chain.
        targets: what was asked for.
    """
    wanted = ", ".join(targets)
    if not jobs:
        return f"Nothing would run for {wanted}: all of it agrees with the configuration, the code and the videos.\n"
    by_cause: dict[Cause, list[Job]] = defaultdict(list)
    for job in jobs:
        for cause in causes(job):
            by_cause[cause].append(job)
    parts = [f"{_jobs(len(jobs))} would run for {wanted}, because of:\n"]
    parts += [_paragraph(kind, things, of) for kind, things, of in _grouped(by_cause)]
    parts.append("In this order:\n" + _table(jobs, {job.rule for of in by_cause.values() for job in of}))
    return "\n".join(parts)


def _grouped(by_cause: dict[Cause, list[Job]]) -> list[_Group]:
    """One paragraph for the causes of one kind that jobs of the same rules have; a few for settings, by their jobs."""
    by_jobs: dict[tuple[str, tuple[Job, ...]], list[str]] = defaultdict(list)
    for cause, of in by_cause.items():
        by_jobs[cause.kind, tuple(of)].append(cause.what)
    by_rules: dict[tuple[str, frozenset[str]], list[_Group]] = defaultdict(list)
    for (kind, jobs), things in by_jobs.items():
        by_rules[kind, frozenset(job.rule for job in jobs)].append((kind, things, list(jobs)))
    found: list[_Group] = []
    for (kind, _), groups in by_rules.items():
        found += groups if len(groups) <= _APART.get(kind, 1) else [_merged(kind, groups)]
    return found


def _merged(kind: str, groups: Sequence[_Group]) -> _Group:
    things = [thing for _, some, _ in groups for thing in some]
    return kind, things, list(dict.fromkeys(job for _, _, jobs in groups for job in jobs))


def _paragraph(kind: str, things: Sequence[str], jobs: Sequence[Job]) -> str:
    more = [f"and {len(things) - _SHOWN:,} more"] if len(things) > _SHOWN else []
    lines = [f"    {thing}" for thing in [*things[:_SHOWN], *more]]
    return "\n".join([f"  {kind}:", *lines, f"    in {_named(jobs)}", ""])


def _named(jobs: Sequence[Job]) -> str:
    """Few jobs by name, more by their numbers."""
    counts = Counter(job.rule for job in jobs)
    if len(jobs) <= _NAMED:
        return ", ".join(job.name for job in jobs)
    if len(counts) <= _RULES:
        return ", ".join(f"{rule} ({_jobs(count)})" for rule, count in counts.items())
    return f"{_jobs(len(jobs))} of {len(counts)} rules"


def _table(jobs: Sequence[Job], roots: set[str]) -> str:
    """Each rule with the number of its jobs, and with the rules that it directly follows."""
    counts = Counter(job.rule for job in jobs)
    after: dict[str, set[str]] = {rule: set() for rule in counts}
    for job in jobs:
        after[job.rule] |= job.after
    rows = []
    for rule, count in counts.items():
        nearest = after[rule] - {far for near in after[rule] for far in _ancestors(near, after)}
        why = ["by itself"] if rule in roots else []
        why += [f"after {', '.join(other for other in counts if other in nearest)}"] if nearest else []
        rows.append(f"  {rule:<{max(map(len, counts))}}  {_jobs(count):>10}  {', and '.join(why)}\n")
    return "".join(rows)


def _ancestors(rule: str, after: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(after[rule])
    while waiting:
        other = waiting.pop()
        if other not in found:
            found.add(other)
            waiting.extend(after[other])
    return found


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count:,} jobs"
