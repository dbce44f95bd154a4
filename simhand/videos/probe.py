"""What containers say about their durations, asked in a process of its own, which a damaged file may hang or crash.

    python -m simhand.videos.probe PARENT

answers each line on standard input, a path as JSON, with a line on standard output: the duration in seconds.
"""

from __future__ import annotations

import json
import os
import resource
import selectors
import subprocess
import sys

from simhand.videos.lifetime import end_with_parent

UNKNOWN = -1.0
_PATIENCE_S = 20.0  # the header of a video on a slow disk takes seconds, not more
_MEMORY = 4 << 30  # bytes of address space; a damaged header may ask for any number


class Prober:
    """Asks for durations one by one, of a process that starts with the first question.

    Args:
        patience_s: how long an answer may take.
    """

    def __init__(self, patience_s: float = _PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._child: _Child | None = None

    def duration_s(self, path: str) -> float:
        """The duration of a file in seconds: 0 if it cannot be opened, negative if it states none.

        A file that crashes the process that asks, or keeps it busy for too long, counts as one that states none.
        """
        self._child = self._child or _Child()
        answer = self._child.ask(path, self._patience_s)
        if answer is None:
            self.close()
        return UNKNOWN if answer is None else answer

    def close(self) -> None:
        """Ends the process, if there is one."""
        if self._child:
            self._child.end()
            self._child = None


class _Child:
    """A process that answers."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "simhand.videos.probe", str(os.getpid())]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )

    def ask(self, path: str, patience_s: float) -> float | None:
        """The answer; None if there is none within the time."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps(path).encode() + b"\n")
        except BrokenPipeError:
            return None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(patience_s):
                return None
        line = self._process.stdout.readline()
        return float(line) if line.endswith(b"\n") else None

    def end(self) -> None:
        """Ends it, whatever it does."""
        self._process.kill()
        self._process.communicate()


def _stated_duration_s(path: str) -> float:
    import av  # noqa: PLC0415  - who asks needs no decoder

    try:
        with av.open(f"file:{path}", metadata_errors="ignore", options={"protocol_whitelist": "file"}) as container:
            return UNKNOWN if container.duration is None else round(container.duration / av.time_base, 3)
    except (OSError, ValueError, MemoryError):  # what FFmpeg raises is one of these
        return 0.0


def main(parent: str) -> None:
    """Answers until there are no more questions, or nobody to ask them."""
    end_with_parent(int(parent))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    for line in sys.stdin:
        sys.stdout.write(f"{_stated_duration_s(json.loads(line))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
