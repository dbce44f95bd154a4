"""What is known of each job of the chain, whether it would run or not, as plain values."""

from __future__ import annotations

from typing import NamedTuple


class ChainJob(NamedTuple):
    """A job on the way to what is wanted.

    Args:
        rule: its rule.
        wildcards: the values that tell it from the rule's other jobs.
        outputs: what it makes.
        logs: where it tells how it goes.
        is_to_do: whether it would run: something of it is missing, or not as it should be.
        is_there: whether all that it makes is there, from whenever.
        is_started: whether a snakemake, running or killed, has begun with it and not ended it.
    """

    rule: str
    wildcards: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    is_to_do: bool = False
    is_there: bool = True
    is_started: bool = False

    @property
    def name(self) -> str:
        """The rule and what tells the job from its other jobs."""
        return " ".join([self.rule, *self.wildcards])
