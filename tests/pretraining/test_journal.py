"""Metrics: bounded in number, consistent with checkpoints, with honest rates."""

import json
import logging
import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from simhand.pretraining.journal import Journal


def test_lines_after_the_checkpoint_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    journal = Journal(path, tmp_path / "board", first_step=0, steps=9)
    for step in range(1, 6):
        journal.record(step, 4, {"loss": float(step)})
    with path.open("a") as file:
        file.write('{"step": 6, "lo')  # killed while writing
    resumed = Journal(path, tmp_path / "board", first_step=3, steps=9)
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [1, 2, 3]
    resumed.record(4, 4, {"loss": 0.5})
    assert [json.loads(line)["loss"] for line in path.read_text().splitlines()] == [1, 2, 3, 0.5]


def test_a_long_run_writes_few_lines_and_its_last_step(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "metrics.jsonl", tmp_path / "board", first_step=0, steps=6001)
    for step in range(1, 6002):
        journal.record(step, 4, {"loss": 1.0})
    steps = [json.loads(line)["step"] for line in journal.path.read_text().splitlines()]
    assert steps == [*range(3, 6001, 3), 6001]


def test_rate_waiting_and_time_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [100.0]
    monkeypatch.setattr("simhand.pretraining.journal.time.perf_counter", lambda: now[0])

    def crops() -> Iterator[int]:
        for step in range(3, 13):
            now[0] += 45  # to decode a batch
            yield step

    journal = Journal(tmp_path / "metrics.jsonl", tmp_path / "board", first_step=2, steps=12)
    with caplog.at_level(logging.INFO):
        for step in journal.timed(crops()):
            now[0] += 15  # to train on it
            journal.record(step, 120, {"loss": 1.0})
            line = json.loads(journal.path.read_text().splitlines()[-1])
            assert (line["data_wait_fraction"], line["images_per_s"]) == (0.75, 2)
    assert "step 3 of 12: loss 1.0000, 2 images/s, 75 % of the time waiting for crops, 9 min left" in caplog.text


BAR = """
import sys, time
from pathlib import Path
from simhand.pretraining.journal import Journal
with Journal(Path(sys.argv[1], "metrics.jsonl"), Path(sys.argv[1], "board"), first_step=0, steps=8) as journal:
    for step in range(1, 5):
        time.sleep(0.6)
        journal.record(step, 4, {"loss": 3.5})
"""


def test_a_terminal_shows_a_bar_with_loss_rate_and_time_left(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, (24, 100))
    process = subprocess.Popen([sys.executable, "-c", BAR, str(tmp_path)], stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 1024):
            shown += part
    except OSError:  # how the end of a terminal is told
        pass
    os.close(ours)
    assert process.wait() == 0
    assert re.search(r"\d/8 \[00:0\d<00:0\d, .*(step/s|s/step).*loss 3\.5000\]", shown.decode())
