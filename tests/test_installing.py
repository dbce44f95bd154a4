"""`pip install .` gives the command and the library: a wheel is built, installed, and used from an empty folder."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the checkout, since building leaves folders behind; without a network."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "simhand", source / "simhand", ignore=shutil.ignore_patterns("__pycache__"))
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the wheel has been installed; what it depends on comes from the environment of the tests."""
    target = tmp_path_factory.mktemp("installed")
    options = ["--no-deps", "--no-index", "--quiet", "--disable-pip-version-check", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(wheel)], check=True)
    return target


def run(installed: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_every_file_of_the_library_is_in_the_wheel(wheel: Path) -> None:
    files = {path.relative_to(ROOT) for path in (ROOT / "simhand").rglob("*") if path.is_file()}
    wanted = {str(path) for path in files if "__pycache__" not in path.parts}
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    assert wanted <= names
    assert {name.split("/")[0] for name in names - wanted} == {f"simhand-{PROJECT['version']}.dist-info"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "License-Expression: Apache-2.0" in metadata
    assert {line.split(": ")[1] for line in metadata.splitlines() if line.startswith("Provides-Extra")} == set(
        PROJECT["optional-dependencies"]
    )


def test_the_command_works_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    command = str(installed / "bin" / "simhand")
    shown = run(installed, tmp_path, sys.executable, command, "--help")
    assert shown.returncode == 0, shown.stderr
    assert "usage: simhand" in shown.stdout
    shown = run(installed, tmp_path, sys.executable, command, "predict", "--help")
    assert shown.returncode == 0, shown.stderr
    assert "--model" in shown.stdout
    elsewhere = run(installed, tmp_path, sys.executable, command, "why")
    assert elsewhere.returncode == 1
    assert "there is no workflow here" in elsewhere.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_library_is_the_installed_one_and_does_something(installed: Path, tmp_path: Path) -> None:
    code = """
import simhand, torch
from simhand.pretraining.weighted_nt_xent import weighted_nt_xent
print(simhand.__file__)
print(weighted_nt_xent(torch.eye(2), torch.eye(2), None, None, 0.5).item())
"""
    finished = run(installed, tmp_path, sys.executable, "-c", code)
    assert finished.returncode == 0, finished.stderr
    place, loss = finished.stdout.splitlines()
    assert Path(place).is_relative_to(installed)
    assert float(loss) == pytest.approx(math.log(math.e**2 + 2) - 2, rel=1e-6)
