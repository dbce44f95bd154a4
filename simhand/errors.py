"""The ways in which simhand can fail, one class each: what went wrong, where, what was expected, what to do."""

from __future__ import annotations


class SimhandError(Exception):
    """Something that the user can act on.

    Args:
        what: the failure in one sentence, without a full stop.
        where: file, row, video, or key of the configuration.
        expected: what would have been right.
        got: what was there instead.
        hint: what to do about it.
    """

    def __init__(
        self, what: str, *, where: object = None, expected: object = None, got: object = None, hint: str | None = None
    ) -> None:
        self.what = what
        parts = {"where": where, "expected": expected, "got": got, "hint": hint}
        lines = [f"  {name + ':':<10}{value}" for name, value in parts.items() if value is not None]
        super().__init__("\n".join([what, *lines]))


class ConfigError(SimhandError):
    """config.yaml has a wrong key, type or value, or names something that is not there."""


class VideoError(SimhandError):
    """One video cannot be decoded; its shard goes on without it."""


class FailedVideosError(SimhandError):
    """More videos failed than the configured quota allows."""


class TableError(SimhandError):
    """A table between two stages is missing, damaged or of another schema."""


class WorkerError(SimhandError):
    """A process that did part of a stage's work has died."""


class WeightsError(SimhandError):
    """A model file is missing, damaged, or not the expected one."""


class PoolError(SimhandError):
    """A pool cannot be drawn: too few hands, or too few videos."""


class LabelledSetError(SimhandError):
    """A labelled set does not have its expected layout."""


class OrphanError(SimhandError):
    """Jobs of a run that was killed are still in the cluster's queue."""


class CheckpointError(SimhandError):
    """A checkpoint belongs to another configuration, or is damaged."""


class TrainingError(SimhandError):
    """Training met a value that cannot be right (NaN, infinity)."""


class InputError(SimhandError):
    """A file or folder that a command was given is missing, damaged, or of no use to it."""
