"""`simhand doctor` on real files: what it says, and what it leaves behind."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from simhand.__main__ import main
from simhand.doctor import amounts, estimation, measuring
from tests.conftest import WriteVideo


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_video: WriteVideo) -> Path:
    """A folder with six videos without hands, half a minute each, and their configuration."""
    for i in range(6):
        write_video(tmp_path / "videos" / f"{i}.mp4", [second / 2 for second in range(61)], shade=i)
    config = {"sources": {"grey": {"videos": "videos"}}, "pools": {"all": {"sources": ["grey"]}}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def memory_disk() -> Iterator[Path]:
    """A folder on another disk, the one in memory."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def test_checks_and_an_estimate(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--sample", "3"]) == 0
    told, said = capfd.readouterr()
    assert "ok       source grey: 6 videos, 3.0 min, " in told
    assert "Looking at 3 of 6 videos, 1.5 minutes of video" in told
    assert re.search(r"^  frames          18\d( \(18\d to 18\d\))?$", told, re.MULTILINE)  # 31 of each
    assert re.search(r"^  hands           0$", told, re.MULTILINE)
    assert re.search(r"^ok       disk: .* expected, .* free where results are written$", told, re.MULTILINE)
    assert "task_runner" not in said  # MediaPipe's own words
    assert sorted(path.name for path in here.iterdir()) == ["config.yaml", "results", "videos"]
    assert [path.name for path in (here / "results").rglob("*.*")] == ["index.tsv"]


def test_the_disk_that_counts_is_that_of_the_results(
    here: Path, capfd: pytest.CaptureFixture[str], memory_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "results").symlink_to(memory_disk)
    monkeypatch.setattr(estimation, "measure", lambda *given: written_to.append(given[3]) or measuring.measure(*given))
    written_to: list[Path] = []
    assert main(["doctor", "--sample", "1"]) == 0
    free = amounts.size(amounts.exactly(shutil.disk_usage(memory_disk).free / 1e6))
    assert re.findall(r"(\S+ .B) free where results are written", capfd.readouterr().out) == [free, free]
    assert written_to[0].is_relative_to(memory_disk)


def test_a_video_too_long_to_look_at_in_full_leaves_hands_open(
    here: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(measuring._FRAMES, "mediapipe", 10)
    assert main(["doctor", "--sample", "6"]) == 0
    told = capfd.readouterr().out
    assert "Estimate from 6 of 6 videos; in brackets the range" in told
    # Of 31 frames each 8 were looked at, every fourth: 1.645 x sqrt(6) x 31 x sqrt(1 - 8/31) / 8 hands may be there.
    (most,) = re.findall(r"^  hands           0 \(0 to (\d+)\)$", told, re.MULTILINE)
    assert int(most) == pytest.approx(13.4, rel=0.1)
    assert re.search(r"^  frames          186$", told, re.MULTILINE)


def test_what_a_job_takes_to_start_is_told_without_snakemake_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "snakemake.script" in measuring.start_of_a_job()[-1]
    monkeypatch.setitem(sys.modules, "snakemake", None)  # as where it is not installed
    assert measuring.start_of_a_job()[-1] == "import simhand.keypoints.keypoints"
    subprocess.run(measuring.start_of_a_job(), check=True, capture_output=True)


def test_checks_alone(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--sample", "0"]) == 0
    told = capfd.readouterr().out
    assert "Looking at" not in told
    assert re.search(r"\n0 problems, \d warnings?\.\n$", told)


def test_videos_that_cannot_be_opened_are_a_warning_and_told(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "videos" / "broken.mp4").write_bytes(b"no video" * 1000)
    assert main(["doctor", "--sample", "7"]) == 0
    told = capfd.readouterr().out
    assert "1 cannot be opened, broken.mp4 for one" in told
    assert "1 of these 7 could not be read in full:\n  broken.mp4: " in told


def test_a_wrong_configuration_is_a_problem(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "config.yaml").write_text("sources: {grey: {vidoes: videos}}\npools: {all: {sources: [grey]}}\n")
    assert main(["doctor"]) == 1
    told = capfd.readouterr().out
    assert re.search(r"\n1 problem, \d warnings?\.\n$", told)
    assert "problem  unknown key sources.grey.vidoes" in told
    assert "did you mean videos?" in told
    assert main(["doctor", "--configfile", "gone.yaml"]) == 1
    told = capfd.readouterr().out
    assert "problem  there is no such configuration\n           where:    gone.yaml" in told
    assert "`simhand init` writes one" in told
    (here / "config.yaml").write_text("sources: [")
    assert main(["doctor"]) == 1
    assert "problem  the configuration is no YAML\n           where:    config.yaml, line " in capfd.readouterr().out


def test_a_source_without_videos_is_a_problem(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for path in (here / "videos").iterdir():
        path.unlink()
    assert main(["doctor"]) == 1
    assert "problem  source grey: a source has no videos" in capfd.readouterr().out


def test_what_cannot_make_a_pool_is_told(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--sample", "2"]) == 0
    told = capfd.readouterr().out
    assert "warning  pool all: no hands with keypoints are expected\n" in told
    assert "copies" not in told
    (here / "videos" / "6.mp4").write_bytes((here / "videos" / "5.mp4").read_bytes())
    assert main(["doctor", "--sample", "0"]) == 0
    assert "warning  source grey: 1 video is a copy of another, 6.mp4 of 5.mp4\n" in capfd.readouterr().out
    (here / "videos" / "6.mp4").unlink()
    for name in "0123":
        (here / "videos" / f"{name}.mp4").write_bytes((here / "videos" / f"{name}.mp4").read_bytes()[:900])
    assert main(["doctor", "--sample", "6"]) == 0
    assert "warning  pool all: 4 of 6 videos could not be read in full\n" in capfd.readouterr().out
    for name in "12345":
        (here / "videos" / f"{name}.mp4").unlink()
    assert main(["doctor", "--sample", "0"]) == 1
    told = capfd.readouterr().out
    assert "source grey: 1 video, " in told
    assert "problem  pool all: similar hands are those of other videos, and there is one\n" in told
