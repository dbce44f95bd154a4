"""Where the real data lie."""

from __future__ import annotations

import os
from pathlib import Path


def shared_folder() -> Path:
    """The folder of real data; ends the script where it is absent."""
    folder = Path(os.environ.get("SIMHAND_SHARED", Path(__file__).parent.parent.parent / "shared"))
    if not folder.is_dir():
        raise SystemExit(f"no real data in {folder} (set SIMHAND_SHARED)")
    return folder
