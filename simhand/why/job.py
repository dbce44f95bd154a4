"""What is known of a job that would run, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, eq=False)
class Job:
    """A job that would run.

    Args:
        rule: its rule.
        wildcards: the values that tell it from the rule's other jobs.
        after: rules with jobs that would run before it and make its input.
        is_recorded: whether it has ended before, well or not; what it then read is known.
        is_interrupted: whether its output was being written when something ended it.
        missing: output that is needed and not there.
        updated: input that is newer than the output, and of other content.
        inputs_before: input of which it was made and would not be made again.
        inputs_now: input of which it was not made and would be now, besides what those other jobs make.
        params_before: values of params that it was made with and no longer has, as Python writes them; without names.
        params_now: values of params that it has now and was not made with.
        is_software_changed: whether its environment has another definition.
        log: its log, where there is one.
        in_short: why it would run, in Snakemake's words.
    """

    rule: str
    wildcards: tuple[str, ...] = ()
    after: frozenset[str] = frozenset()
    is_recorded: bool = True
    is_interrupted: bool = False
    missing: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    inputs_before: tuple[str, ...] = ()
    inputs_now: tuple[str, ...] = ()
    params_before: tuple[str, ...] = ()
    params_now: Mapping[str, Any] = field(default_factory=dict)
    is_software_changed: bool = False
    log: str | None = None
    in_short: str = ""

    @property
    def name(self) -> str:
        """The rule and what tells the job from its other jobs."""
        return " ".join([self.rule, *self.wildcards])
