"""Real worker processes: order, replacement, death."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from simhand.errors import WeightsError, WorkerError
from simhand.hands.workers import in_workers
from tests.conftest import ROOT


def squares() -> Callable[[int], tuple[int, int]]:
    return lambda number: (number**2, os.getpid())


def dies_at(number: int) -> Callable[[int], int]:
    def work(part: int) -> int:
        if part == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return part

    return work


def raises() -> Callable[[int], int]:
    def work(part: int) -> int:
        raise ValueError(f"part {part}")

    return work


def test_results_come_in_order_from_workers_that_are_replaced() -> None:
    results, pids = zip(*in_workers(squares, range(23), 2, parts_a_worker=5), strict=True)
    assert list(results) == [number**2 for number in range(23)]
    generations = [set(pids[first : first + 10]) for first in (0, 10, 20)]
    assert all(1 <= len(generation) <= 2 for generation in generations)
    assert not generations[0] & generations[1]
    assert not generations[1] & generations[2]
    assert os.getpid() not in set(pids)


def test_no_parts_need_no_workers() -> None:
    assert list(in_workers(dies_at, [], 2)) == []


def test_a_killed_worker_is_an_error_that_says_so() -> None:
    done = []
    with pytest.raises(WorkerError, match=r"(?s)a worker process died.*while working on 0 to 9.*memory"):
        for result in in_workers(partial(dies_at, 6), range(10), 2):
            done.append(result)  # noqa: PERF402 - what came before the error counts
    assert done == list(range(len(done)))
    assert len(done) <= 6


def test_an_error_in_a_worker_is_raised_here() -> None:
    with pytest.raises(ValueError, match="part 0"):
        list(in_workers(raises, range(4), 2))


def cannot_start() -> Callable[[int], int]:
    raise WeightsError("no model", where="hand.task", hint="make it")


def test_why_a_worker_cannot_start_is_raised_here() -> None:
    with pytest.raises(WeightsError, match=r"(?s)no model.*hand\.task.*make it"):
        list(in_workers(cannot_start, range(4), 2))


SCRIPT = """
import sys, time, os
from simhand.hands.workers import in_workers

def start():
    def work(part):
        os.write(1, f"{os.getpid()}\\n".encode())  # whole, whoever else writes
        time.sleep(60)
    return work

if __name__ == "__main__":
    list(in_workers(start, range(2), 2))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_their_parent(tmp_path: Path, number: int) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True
    ) as process:
        assert process.stdout
        children = [int(process.stdout.readline()) for _ in range(2)]
        os.kill(process.pid, number)
        assert process.wait(timeout=10) != 0
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
