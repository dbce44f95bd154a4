"""Runs commands side by side, each with a time limit, and hands over what they wrote in the order of the list."""

from __future__ import annotations

import os
import selectors
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_WAITING = 4  # finished commands that may wait for their turn, for each that runs: bounds the disk they take
_TAIL = 4096  # bytes kept of what a command says on standard error


@dataclass
class Finished:
    """A command that ended by itself (with `code`; minus the signal that ended it) or was `late` and killed.

    `output` is what it wrote to standard output: a nameless file, read it from the start. `last_words` is the last
    line of its standard error.
    """

    output: IO[bytes]
    code: int
    late: bool
    last_words: str


class _Child:
    """A running command. Its standard error is a pipe, which also tells when it ends."""

    def __init__(self, command: list[str], time_limit_s: float, folder: Path) -> None:
        self.output: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - whoever reads it closes it
        self.ends_at = time.monotonic() + time_limit_s
        self.late = False
        self.silent = False  # it has closed its standard error, as it does when it ends
        self._words = b""
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.PIPE, bufsize=0
        )
        assert self.process.stderr
        self.pipe: IO[bytes] = self.process.stderr
        os.set_blocking(self.pipe.fileno(), False)

    def listen(self) -> None:
        """Reads what it says."""
        said = self.pipe.read(65536)
        self.silent = said == b""
        self._words = (self._words + (said or b""))[-_TAIL:]

    def kill_if_late(self) -> None:
        if time.monotonic() > self.ends_at and not self.late:
            self.late = True
            self.process.kill()

    def ended(self) -> bool:
        """Whether it is over; a moment after its standard error was closed, it is."""
        try:
            self.process.wait(0.05)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self) -> Finished:
        """What became of it, once it has ended."""
        self.pipe.close()
        lines = [line.strip() for line in self._words.decode(errors="replace").splitlines() if line.strip()]
        return Finished(self.output, self.process.wait(), self.late, lines[-1][:300] if lines else "")

    def abandon(self) -> None:
        self.process.kill()
        self.process.wait()
        self.pipe.close()
        self.output.close()


def run_in_order(
    count: int,
    command: Callable[[int], list[str]],
    workers: int,
    time_limit_s: float,
    folder: Path,
    *,
    ended: Callable[[], object] = lambda: None,
) -> Iterator[Finished]:
    """Runs `command(0)`, `command(1)`, ..., at most `workers` at once, and yields them in this order.

    What they write waits in nameless files in `folder`, which vanish with this process. `ended` is called when a
    command has ended, which can be long before its turn. When the caller stops early, or an error or a signal's
    exception ends it, all that still run are killed.
    """
    running: dict[int, _Child] = {}
    finished: dict[int, Finished] = {}
    with selectors.DefaultSelector() as selector:
        try:
            started = 0
            for turn in range(count):
                while turn not in finished:
                    while started < count and len(running) < workers and started - turn < workers * (1 + _WAITING):
                        running[started] = _Child(command(started), time_limit_s, folder)
                        selector.register(running[started].pipe, selectors.EVENT_READ, started)
                        started += 1
                    for i, done in _collect(running, selector):
                        finished[i] = done
                        ended()
                done = finished.pop(turn)
                with done.output:
                    yield done
        finally:
            for child in running.values():
                child.abandon()
            for done in finished.values():
                done.output.close()


def _collect(running: dict[int, _Child], selector: selectors.BaseSelector) -> list[tuple[int, Finished]]:
    """Waits until a running command says something, ends, or is late; those that have ended leave `running`."""
    first_limit = min(child.ends_at for child in running.values())
    wait_s = max(first_limit - time.monotonic(), 0.05)
    if any(child.silent for child in running.values()):
        wait_s = 0.05
    for key, _ in selector.select(min(wait_s, 3600.0)):
        child = running[key.data]
        child.listen()
        if child.silent:
            selector.unregister(child.pipe)
    for child in running.values():
        child.kill_if_late()
    over = [i for i, child in running.items() if child.silent and child.ended()]
    return [(i, running.pop(i).end()) for i in over]
