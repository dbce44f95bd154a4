"""What all tests share: where the recordings and the real data lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def recorded() -> Path:
    """Numbers recorded from the official code on made-up inputs."""
    return ROOT / "tests" / "parity" / "recorded"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data named by SIMHAND_SHARED; a test that needs it is skipped where it is absent."""
    folder = Path(os.environ.get("SIMHAND_SHARED", ROOT.parent / "shared"))
    if not (folder / "videos" / "manifest.csv").is_file():
        pytest.skip(f"no real data in {folder} (set SIMHAND_SHARED)")
    return folder
