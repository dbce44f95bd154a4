from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from simhand.videos.probe import UNKNOWN, Prober
from tests.conftest import WriteVideo

NewChildren = Callable[[], list[psutil.Process]]


def durations(paths: Sequence[str], patience_s: float = 20.0) -> list[float]:
    with closing(Prober(patience_s)) as prober:
        return [prober.duration_s(path) for path in paths]


@pytest.fixture
def video(tmp_path: Path, write_video: WriteVideo) -> str:
    return str(write_video(tmp_path / "a: 'ä'\n.mp4", [0, 0.5, 1.0, 1.5, 2.0]))


def test_durations_are_those_of_the_containers(video: str, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("text")
    paths = [video, str(tmp_path / "text.mp4"), str(tmp_path / "missing.mp4"), video]
    assert durations(paths) == pytest.approx([2.5, 0, 0, 2.5], abs=0.5)


def test_a_file_that_hangs_costs_itself_alone(video: str, tmp_path: Path, new_children: NewChildren) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")  # opening it waits for a writer that never comes
    started = time.monotonic()
    found = durations([video, str(tmp_path / "pipe.mp4"), video], patience_s=3.0)
    assert found == pytest.approx([2.5, UNKNOWN, 2.5], abs=0.5)
    assert time.monotonic() - started < 30
    assert new_children() == []


def test_a_file_that_crashes_costs_itself_alone(video: str, tmp_path: Path, new_children: NewChildren) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")

    def crash() -> None:
        time.sleep(1.5)
        new_children()[0].kill()

    crasher = threading.Thread(target=crash)
    crasher.start()
    found = durations([video, str(tmp_path / "pipe.mp4"), video], patience_s=60.0)
    crasher.join()
    assert found == pytest.approx([2.5, UNKNOWN, 2.5], abs=0.5)


def test_whoever_stops_asking_leaves_no_process(video: str, new_children: NewChildren) -> None:
    prober = Prober()
    assert new_children() == []
    prober.duration_s(video)
    assert len(new_children()) == 1
    prober.close()
    assert new_children() == []
