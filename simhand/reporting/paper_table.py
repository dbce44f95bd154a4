"""The paper's tables: our errors beside those that it publishes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from simhand.evaluation.bootstrap import mean_and_deviation
from simhand.reporting.grid import Grid
from simhand.reporting.inputs import PaperErrors
from simhand.reporting.records import read_numbers
from simhand.reporting.table import AUC, MPJPE, best_rows, mean_texts

_SHOWN = (MPJPE, AUC)
_SET, _SEEDS = "labelled set", "seeds"


def paper_errors(errors: PaperErrors) -> pd.DataFrame:
    """One row a line and labelled set, sets first.

    Returns:
        columns labelled set (the paper's name), labelled and percent (what stands for it here), the headings of the
        table's lines, run, seeds; then mpjpe_mm and pck_auc_20_50 (in percent), each with the deviation over seeds (of
        the sample; empty with one seed) as `..._std` and the paper's figure (empty where it has none) as `..._paper`.

    Raises:
        TableError: a file of metrics is missing, damaged or lacks a measure.
    """
    table = errors.table
    return pd.DataFrame(
        [
            {
                **{_SET: column.heading, "labelled": column.labelled, "percent": column.percent},
                **dict(zip(table.headings, line.words, strict=True)),
                "run": line.run,
                **_numbers(errors.metrics[column.cell(line)], line.published[place]),
            }
            for place, column in enumerate(table.columns)
            for line in table.lines
        ]
    )


def _numbers(files: Sequence[Path], published: tuple[float, float] | None) -> dict[str, float | None]:
    read = [read_numbers(path, [measure.key for measure in _SHOWN]) for path in files]
    row: dict[str, float | None] = {_SEEDS: len(files)}
    for place, measure in enumerate(_SHOWN):
        mean, deviation = mean_and_deviation([measure.factor * numbers[measure.key] for numbers in read])
        row |= {measure.key: mean, f"{measure.key}_std": deviation}
        row[f"{measure.key}_paper"] = published[place] if published else None
    return row


def paper_grid(errors: PaperErrors) -> Grid:
    """The table for reading; our best of each labelled set is stressed.

    Raises:
        TableError: as `paper_errors`.
    """
    rows = paper_errors(errors)
    words = [_SET] * (len(errors.table.columns) > 1) + list(errors.table.headings)  # one set stands in the title
    columns = [(heading, rows[heading].tolist()) for heading in words]
    columns.append((_SEEDS, rows[_SEEDS].astype(str).tolist()))
    best = set()
    for measure in _SHOWN:
        best |= {(row, len(columns)) for row in best_rows(rows, [_SET], measure)}
        columns.append((measure.heading, mean_texts(rows, measure)))
        published = rows[f"{measure.key}_paper"]
        if published.notna().any():
            columns.append(("paper", ["" if pd.isna(value) else f"{value:.2f}" for value in published]))
    cells = list(zip(*(values for _, values in columns), strict=True))
    numbers = frozenset(range(len(words), len(columns)))
    return Grid([heading for heading, _ in columns], cells, numbers, frozenset(best))
