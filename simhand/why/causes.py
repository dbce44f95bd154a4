"""The causes of a job's own, for which it would run even if no other job did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from simhand.why.differences import differences, paired
from simhand.why.job import Job


class Cause(NamedTuple):
    """One thing that is not as it was.

    Args:
        kind: what sort of thing, as a heading.
        what: the thing itself.
    """

    kind: str
    what: str


def causes(job: Job) -> list[Cause]:
    """What makes a job run by itself; empty: only that others run before it."""
    found = [*_of_output(job)]
    if not job.missing:  # what is then known may be of a try that failed
        found += [*_of_input(job), *_of_params(job)]
        if job.is_software_changed:
            found.append(Cause("environment changed", f"the one of rule {job.rule}, or the way of deploying it"))
    if not found and not job.after:
        found.append(Cause("another reason", job.in_short))
    return found


def _of_output(job: Job) -> Iterator[Cause]:
    if job.is_interrupted:
        yield Cause("interrupted while it was made", job.name)
    if job.after:  # what is made anew need not be there
        return
    for path in job.missing:
        if job.log:
            yield Cause("missing (deleted, or its job failed or was stopped)", f"{path} (log: {job.log})")
        elif job.is_recorded:
            yield Cause("missing (deleted)", path)
        else:
            yield Cause("never made", path)


def _of_input(job: Job) -> Iterator[Cause]:
    for path in job.updated:
        yield Cause("input changed", path)
    for path in job.inputs_before:
        yield Cause("input files changed", f"without {path}")
    for path in job.inputs_now:
        yield Cause("input files changed", f"with {path}")


def _of_params(job: Job) -> Iterator[Cause]:
    if job.params_before and not job.params_now:  # a param that the rule no longer has
        yield Cause("rule changed", f"{job.rule} has other params")
    for name, before, now in paired(job.params_before, job.params_now):
        if name == "code":
            yield from (Cause("code changed", what) for what in _edited_files(before, now))
        elif name == "videos":
            yield from (Cause("videos changed", what) for what in differences(before or [], now))
        else:
            # The keys of `settings` are those of config.yaml; other params are called after them.
            key = "" if isinstance(now, dict) and name == "settings" else name
            yield from (Cause("settings changed", what) for what in differences(before, now, key))


def _edited_files(before: Any, now: dict[str, str]) -> Iterator[str]:
    if not isinstance(before, dict):
        yield "which files is not known, as older versions of simhand did not keep it"
        return
    for file in sorted(before.keys() | now.keys()):
        if file not in before:
            yield f"{file} (is new to this stage)"
        elif file not in now:
            yield f"{file} (is no longer used)"
        elif before[file] != now[file]:
            yield file
