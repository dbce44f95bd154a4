from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import simhand
from simhand.__main__ import main
from tests.conftest import ROOT


def test_without_a_workflow_nothing_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["why"]) == 1
    assert "call it in the folder with the Snakefile" in capsys.readouterr().err


def test_a_command_of_another_checkout_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Snakefile").touch()
    (tmp_path / "simhand").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["why"]) == 1
    told = capsys.readouterr().err
    assert f"another checkout than the workflow here\n  where:    {tmp_path}\n  got:      {ROOT}" in told
    installed = tmp_path / "site-packages" / "simhand" / "__init__.py"  # which the workflow here imports too
    monkeypatch.setattr(simhand, "__file__", str(installed))
    assert main(["why"]) == 1
    assert "there is no such configuration" in capsys.readouterr().err


def test_without_snakemake_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").touch()
    (tmp_path / "config.yaml").write_text("sources: {v: {videos: .}}\npools: {p: {sources: [v]}}\n")
    code = "import sys; sys.modules['snakemake'] = None; from simhand.__main__ import main; sys.exit(main(['why']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'simhand[workflow]'" in done.stderr
