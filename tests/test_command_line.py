"""What all commands of simhand have in common."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

from simhand.__main__ import _parser, main

COMMANDS = next(list(action.choices) for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))


def test_help_of_all_names_each_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(re.search(rf"^    {name} ", text, re.MULTILINE) for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_has_an_example_and_exit_statuses(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert f"examples:\n  simhand {command} " in text
    assert re.search(r"exit status:\n  0  .*\n  1  .*\n  2  wrong options", text)


@pytest.mark.parametrize("call", ["init a", "doctor", "status all", "why", "export pairs a --out b"])
def test_an_unknown_option_is_told_with_the_commands_own(call: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*call.split(), "--frobnicate"])
    assert ended.value.code == 2
    text = capsys.readouterr().err
    assert text.startswith(f"usage: simhand {' '.join(call.split()[: 1 + ('pairs' in call)])} [-h] ")
    assert "unrecognized arguments: --frobnicate" in text


def test_help_loads_nothing_heavy() -> None:
    heavy = ("torch", "numpy", "cv2", "pyarrow", "snakemake", "mediapipe", "av")
    code = f"""
import sys
from simhand.__main__ import main
try:
    main(["--help"])
except SystemExit:
    print(sorted(name for name in {heavy} if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("\n[]\n")


def test_an_error_is_told_plainly_and_with_its_place_only_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["why"]) == 1
    plain = capsys.readouterr().err
    assert plain.startswith("simhand: there is no workflow here\n  where: ")
    assert main(["--traceback", "why"]) == 1
    asked = capsys.readouterr().err
    assert asked.startswith("Traceback (most recent call last)")
    assert asked.endswith(plain)
    monkeypatch.setenv("SIMHAND_TRACEBACK", "1")
    assert main(["why"]) == 1
    assert capsys.readouterr().err == asked


def test_a_fault_of_simhand_is_called_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Snakefile").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("simhand.why.command.snakemake_options", lambda args: 1 / 0)
    assert main(["why"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("simhand: this should not have happened: ZeroDivisionError: division by zero\n  hint:  ")
    assert "Traceback" not in told


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m simhand --help | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("usage: simhand")
    assert "Error" not in done.stderr
