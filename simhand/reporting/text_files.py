"""What the report writes besides pictures."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from simhand.files import whole_file


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Writes a table; equal tables are equal bytes."""
    with whole_file(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def write_text(text: str, path: Path) -> None:
    """Writes a text."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
