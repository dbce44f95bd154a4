"""The command line of fine-tuning."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from simhand.finetuning.__main__ import main


def arguments(labelled: Path, out: Path, encoder: str, settings: str = "{}") -> list[str]:
    paths = {name: out / name for name in ("model", "metrics", "predictions", "checkpoints")}
    given = ["--settings", settings, "--labelled", str(labelled), "--format", "freihand", "--initial-encoder", encoder]
    return given + [part for name, path in paths.items() for part in (f"--{name}", str(path))]


def test_a_users_mistake_ends_without_a_traceback(labelled: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simhand.finetuning", *arguments(labelled, tmp_path, str(tmp_path / "nothing.pt"))]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert "cannot read initial weights" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not list(tmp_path.iterdir())


def test_settings_are_checked(labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments(labelled, tmp_path, "none", '{"epochs": 0}'))
    assert "--settings" in capsys.readouterr().err


@pytest.mark.parametrize("percent", ["0", "101", "ten"])
def test_the_fraction_is_checked(
    labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], percent: str
) -> None:
    with pytest.raises(SystemExit):
        main([*arguments(labelled, tmp_path, "none"), "--fraction", percent])
    assert "--fraction" in capsys.readouterr().err
