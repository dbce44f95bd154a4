"""What a look at the machine or the configuration found."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Grade(Enum):
    """How bad a finding is; the value begins its line."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Finding(NamedTuple):
    """One thing that was looked at.

    Args:
        grade: how bad it is. A problem stops the workflow or one of its stages; a warning may surprise.
        what: the thing, in a line.
        advice: what to do about it; empty where all is well.
    """

    grade: Grade
    what: str
    advice: str = ""

    def __str__(self) -> str:
        text = f"{self.grade.value:<7}  {self.what}"
        return f"{text}\n{'':9}-> {self.advice}" if self.advice else text


def ok(what: str) -> Finding:
    """All is well."""
    return Finding(Grade.OK, what)


def warning(what: str, advice: str) -> Finding:
    """This may surprise."""
    return Finding(Grade.WARNING, what, advice)


def problem(what: str, advice: str) -> Finding:
    """This stops something."""
    return Finding(Grade.PROBLEM, what, advice)
