"""Metrics: bounded in number, consistent with checkpoints, with honest rates."""

import json
import time
from pathlib import Path

import pytest

from simhand.pretraining.journal import Journal


def test_lines_after_the_checkpoint_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    journal = Journal(path, first_step=0, steps=9)
    for step in range(1, 6):
        journal.record(step, 4, {"loss": float(step)})
    with path.open("a") as file:
        file.write('{"step": 6, "lo')  # killed while writing
    resumed = Journal(path, first_step=3, steps=9)
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [1, 2, 3]
    resumed.record(4, 4, {"loss": 0.5})
    assert [json.loads(line)["loss"] for line in path.read_text().splitlines()] == [1, 2, 3, 0.5]
    assert resumed.last()["loss"] == 0.5


def test_a_long_run_writes_few_lines_and_its_last_step(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "metrics.jsonl", first_step=0, steps=6001)
    for step in range(1, 6002):
        journal.record(step, 4, {"loss": 1.0})
    steps = [json.loads(line)["step"] for line in journal.path.read_text().splitlines()]
    assert steps == [*range(3, 6001, 3), 6001]


def test_rate_and_waiting(tmp_path: Path) -> None:
    def slow() -> object:
        for number in range(2):
            time.sleep(0.15)
            yield number

    journal = Journal(tmp_path / "metrics.jsonl", first_step=0, steps=2)
    for number in journal.timed(slow()):
        time.sleep(0.05)
        journal.record(number + 1, 20, {"loss": 1.0})
        line = journal.last()
        assert line["data_wait_fraction"] == pytest.approx(0.75, abs=0.15)
        assert line["images_per_s"] == pytest.approx(100, rel=0.3)
