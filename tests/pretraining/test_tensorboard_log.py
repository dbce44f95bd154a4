"""TensorBoard shows the metrics, and no step twice after a restart."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from simhand.pretraining.tensorboard_log import TensorBoard


def _curve(folder: Path, name: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(folder))
    events.Reload()
    return [(scalar.step, scalar.value) for scalar in events.Scalars(name)]


def test_the_values_are_there_by_name(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, 0)
    for step in (1, 2, 5):
        board.record(step, {"loss": 4.5 - step, "learning_rate": step / 8})
    board.close()
    assert _curve(tmp_path, "loss") == [(1, 3.5), (2, 2.5), (5, -0.5)]
    assert _curve(tmp_path, "learning_rate") == [(1, 0.125), (2, 0.25), (5, 0.625)]


@pytest.mark.parametrize("resumed_after", [0, 3])
def test_a_resumed_run_shows_no_step_twice(tmp_path: Path, resumed_after: int) -> None:
    board = TensorBoard(tmp_path, 0)
    for step in range(1, 6):
        board.record(step, {"loss": 10.0 + step})
    board.close()
    time.sleep(1.1)  # files are read in the order of their names, which tell the second
    board = TensorBoard(tmp_path, resumed_after)
    for step in range(resumed_after + 1, 8):
        board.record(step, {"loss": 20.0 + step})
    board.close()
    expected = [(step, (10.0 if step <= resumed_after else 20.0) + step) for step in range(1, 8)]
    assert _curve(tmp_path, "loss") == expected


def test_a_killed_run_keeps_its_curve(tmp_path: Path) -> None:
    code = """
import os, signal, sys, time
from pathlib import Path
from simhand.pretraining import tensorboard_log
tensorboard_log._FLUSH_S = 0.2
board = tensorboard_log.TensorBoard(Path(sys.argv[1]), 0)
board.record(1, {"loss": 2.5})
time.sleep(1.5)
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert killed.returncode == -9
    assert _curve(tmp_path, "loss") == [(1, 2.5)]


def test_the_command_shows_what_was_written(tmp_path: Path) -> None:
    """As the tutorial has it, in a browser; here it answers with the names of the runs."""
    board = TensorBoard(tmp_path / "simhand", 0)
    board.record(1, {"loss": 2.0})
    board.close()
    command = [str(Path(sys.executable).with_name("tensorboard")), "--logdir", str(tmp_path)]
    command += ["--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            found = (re.search(r"http://127.0.0.1:\d+/", line) for line in process.stderr)
            address = next(match[0] for match in found if match)
            assert runs_once_there_are_any(f"{address}data/runs") == ["simhand"]
        finally:
            process.terminate()


def runs_once_there_are_any(address: str) -> list[str]:
    """It says its address before it answers, and reads the logs meanwhile."""
    without_proxy = build_opener(ProxyHandler({}))
    for _ in range(300):
        with suppress(URLError), without_proxy.open(address) as answer:
            if runs := json.load(answer):
                return list(runs)
        time.sleep(0.1)
    return []
