"""The house: no room imports a later one, and training needs only what a GPU node has."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

ROOMS = [
    "videos",
    "frames",
    "hands",
    "keypoints",
    "mining",
    "hand100m",
    "pretraining",
    "finetuning",
    "evaluation",
    "paper",
    "prediction",
    "reporting",
]
FILES = sorted(path for room in ROOMS for path in (ROOT / "simhand" / room).rglob("*.py"))
NOT_ON_GPU_NODES = [
    "mediapipe",
    "decord",
    "numba",
    "ijson",
    "snakemake",
    "cv2",
    "sklearn",
    "av",
    "anny",
    "matplotlib",
    "pandas",
]


def imported_modules(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return names | {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_room_imports_a_later_one(path: Path) -> None:
    room = path.relative_to(ROOT / "simhand").parts[0]
    later = ROOMS[ROOMS.index(room) + 1 :]
    forbidden = {f"simhand.{room}" for room in [*later, "synthetic", "config"]} | {"snakemake"}
    found = {name for name in imported_modules(path) if any(f"{name}.".startswith(f"{bad}.") for bad in forbidden)}
    assert found == set()


def test_training_runs_where_only_the_core_is_installed() -> None:
    code = f"""
import sys
for name in {NOT_ON_GPU_NODES}:
    sys.modules[name] = None  # importing it fails now
import simhand.pretraining.__main__, simhand.finetuning.__main__, simhand.evaluation.evaluate
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_100doh_detector_runs_where_mediapipe_is_not_installed() -> None:
    code = f"""
import sys
for name in {[name for name in NOT_ON_GPU_NODES if name != "cv2"]}:
    sys.modules[name] = None
import simhand.hands.detect, simhand.hands.hundred_doh.detector, simhand.hands.hundred_doh.weights
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_the_library_loads_nothing_heavy() -> None:
    code = "import simhand, sys; sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'cv2')))"
    subprocess.run([sys.executable, "-c", code], check=True)
