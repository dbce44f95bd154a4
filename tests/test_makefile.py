from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """What the demo leaves."""
    for folder in ("demo", "results/videos/demo", "results/annotations", ".snakemake"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def clean(folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["make", "-f", str(ROOT / "Makefile"), "clean"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_clean_removes_what_the_demo_made(here: Path) -> None:
    assert clean(here).returncode == 0
    assert list(here.iterdir()) == []
    assert clean(here).returncode == 0, "nothing to remove is no mistake"


@pytest.mark.parametrize("other", ["results/videos/kitchen", "results/annotations/ego4d"])
def test_clean_leaves_results_of_other_sources(here: Path, other: str) -> None:
    (here / other).mkdir()
    done = clean(here)
    assert done.returncode != 0
    assert f"results/ also holds what was made of {Path(other).name}; remove" in done.stdout
    assert (here / "demo").is_dir()
    assert (here / other).is_dir()
