"""The metrics of a run, one line an epoch, in step with its checkpoints."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from simhand.files import whole_file

log = logging.getLogger(__name__)

Row = dict[str, float]


class Journal:
    """Rows of metrics, written whole after each epoch, so that they can be watched.

    Args:
        path: of the JSON lines while the run goes on.
        epochs: how many are done already; what an interrupted run wrote about later ones is dropped.
    """

    def __init__(self, path: Path, epochs: int) -> None:
        self.path = path
        lines = path.read_text().splitlines() if epochs else []
        self.rows: list[Row] = [json.loads(line) for line in lines[:epochs]]

    def add(self, row: Row) -> None:
        """Adds an epoch."""
        self.rows.append(row)
        self._write(self.path)
        log.info("%s", ", ".join(f"{name} {value:.5g}" for name, value in row.items()))

    def publish(self, path: Path) -> None:
        """Writes the rows of the finished run to where they belong."""
        self._write(path)

    def _write(self, path: Path) -> None:
        with whole_file(path) as temporary:
            temporary.write_text("".join(json.dumps(row) + "\n" for row in self.rows))
