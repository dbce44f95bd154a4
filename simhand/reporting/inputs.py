"""What the report is made of: the files of the training stages, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simhand.paper.tables import Cell, PaperTable


@dataclass(frozen=True)
class Result:
    """One fine-tuned model."""

    labelled: str
    run: str  # of pre-training, or NO_PRETRAINING
    percent: int
    seed: int
    metrics: Path  # JSON, `simhand.evaluation.evaluate.all_metrics`
    predictions: Path  # `simhand.tables.PREDICTIONS`
    training: Path  # JSON lines, one an epoch


@dataclass(frozen=True)
class Run:
    """One pre-training run."""

    metrics: Path  # JSON lines, one every few steps
    card: Path  # JSON, `simhand.pretraining.card`
    pairs: Path  # .npz, `simhand.pretraining.pair_sample`


@dataclass(frozen=True)
class PaperErrors:
    """One of the paper's tables, and the errors of what stands in it; files as a result's, one a seed."""

    table: PaperTable
    metrics: Mapping[Cell, Sequence[Path]]
    predictions: Mapping[Cell, Sequence[Path]]

    @classmethod
    def of(cls, table: PaperTable, metrics: Sequence[Path], predictions: Sequence[Path]) -> PaperErrors:
        """From the files of all cells in their order, each with as many seeds."""
        return cls(table, _by_cell(table.cells(), metrics), _by_cell(table.cells(), predictions))


def _by_cell(cells: Sequence[Cell], files: Sequence[Path]) -> dict[Cell, Sequence[Path]]:
    seeds = len(files) // len(cells)
    return {cell: files[place * seeds : (place + 1) * seeds] for place, cell in enumerate(cells)}


@dataclass(frozen=True)
class ReportInputs:
    """All of it; results, runs and labelled sets are shown in the order in which they stand here."""

    results: Sequence[Result]
    runs: Mapping[str, Run]  # of pre-training, by name
    data: Path  # the sections of the data report
    paper: PaperErrors | None = None  # Table 1
    hands: Mapping[str, Path] = field(default_factory=dict)  # a PNG of predicted hands for each labelled set
    no_paper: str = ""  # why Table 1 could not be made, though it was configured
    benchmarks: Path | None = None  # the folder of what Snakemake measured of the jobs
    config: Mapping[str, Any] = field(default_factory=dict)  # config.yaml, as it is
