"""How far a long stage has come: lines in its log and on the terminal, at most one in half a minute."""

from __future__ import annotations

import logging
import time
from collections import Counter
from types import TracebackType
from typing import Self

log = logging.getLogger(__name__)


class Progress:
    """Counts units of work, and what was found in them; used as a context.

        with Progress("frames", len(frames)) as progress:
            for frame in frames:
                progress.advance(hands=len(detect(frame)))

    logs `frames: 1,204 of 3,600 (33 %), 41.2 frames/s, 1,890 hands, 58 s left`. The rate is that of the whole time, so
    it is steady; the last line gives the time taken instead.

    Args:
        unit: what is counted, in the plural.
        total: how many there are in all.
        every_s: seconds between two lines, at least.
    """

    def __init__(self, unit: str, total: int, every_s: float = 30.0) -> None:
        self._unit, self._total, self._every_s = unit, total, every_s
        self._done = 0
        self._found: Counter[str] = Counter()
        self._started = self._spoke = time.monotonic()

    def advance(self, count: int = 1, **found: int) -> None:
        """So many more units are done, in which so much was found."""
        self._done += count
        self._found.update(found)
        now = time.monotonic()
        if now - self._spoke >= self._every_s and self._done < self._total:
            self._spoke = now
            left_s = (self._total - self._done) * (now - self._started) / self._done if self._done else float("inf")
            self._say(now, f"{duration(left_s)} left")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        now = time.monotonic()
        self._say(now, f"{'stopped' if kind else 'done'} after {duration(now - self._started)}")

    def _say(self, now: float, end: str) -> None:
        percent = 100 * self._done // self._total if self._total else 100
        rate = self._done / max(now - self._started, 1e-9)
        parts = [f"{self._done:,} of {self._total:,} ({percent} %)", f"{rate:.3g} {self._unit}/s"]
        parts += [f"{count:,} {name}" for name, count in self._found.items()]
        log.info("%s: %s", self._unit, ", ".join([*parts, end]))


def duration(seconds: float) -> str:
    """Seconds for reading: 58 s, 12 min, 3 h 20 min."""
    if seconds == float("inf"):
        return "unknown time"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
