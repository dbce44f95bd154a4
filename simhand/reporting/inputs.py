"""What a report is made of: the files of the other stages, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simhand.errors import TableError


@dataclass(frozen=True)
class Result:
    """One fine-tuned model."""

    labelled: str
    run: str
    percent: int
    seed: int
    metrics: Path  # JSON, `simhand.evaluation.evaluate.hand_metrics`
    training: Path  # JSON lines, one an epoch


@dataclass(frozen=True)
class Shard:
    """The tables of one shard of a source."""

    source: str
    status: Path
    balanced: Path
    keypoints: Path


@dataclass(frozen=True)
class Pool:
    """A pool and its neighbours."""

    name: str
    members: Path
    neighbours: Sequence[Path]


@dataclass(frozen=True)
class ReportInputs:
    """All of it; results and runs are shown in the order in which they stand here."""

    results: Sequence[Result]
    runs: Mapping[str, Path]  # name to metrics.jsonl, one line every few steps
    shards: Sequence[Shard]
    pools: Sequence[Pool]
    crops_folder: Path


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The records of a file of JSON lines.

    Raises:
        TableError: missing, empty or damaged.
    """
    try:
        records = [dict(json.loads(line)) for line in path.read_text().splitlines()]
    except (OSError, ValueError, TypeError) as error:
        raise TableError("cannot read metrics", where=path, got=error) from error
    if not records:
        raise TableError("metrics without a record", where=path)
    return records


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        TableError: missing or damaged.
    """
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise TableError("cannot read metrics", where=path, got=error) from error
