"""The paper's tables: our errors beside those that it publishes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from simhand.evaluation.bootstrap import mean_and_deviation
from simhand.finetuning.settings import NO_PRETRAINING
from simhand.paper.published import LABELLED_SET
from simhand.paper.tables import Cell, PaperTable
from simhand.reporting.grid import Grid
from simhand.reporting.inputs import PaperErrors
from simhand.reporting.records import read_numbers
from simhand.reporting.table import AGAINST, AUC, DIFFERENCE, MPJPE, best_rows, difference, difference_texts, mean_texts

_SHOWN = (MPJPE, AUC)
_SEEDS = "seeds"


def paper_errors(errors: PaperErrors) -> pd.DataFrame:
    """One row a line and labelled set, sets first.

    Returns:
        columns labelled set (the paper's name; in Figure 4 labels, their share), labelled and percent (what stands for
        it here), the headings of the table's lines, run, seeds; then mpjpe_mm and pck_auc_20_50 (in percent), each with
        the deviation over seeds (of the sample; empty with one seed) as `..._std` and the paper's figure (empty where
        it has none) as `..._paper`; and the difference to the line without pre-training, as
        `simhand.reporting.table.error_table` has it (empty where the table has no such line).

    Raises:
        TableError: a file of metrics or predictions is missing, damaged or lacks a measure.
    """
    table = errors.table
    return pd.DataFrame(
        [
            {
                **{table.columns_heading: column.heading, "labelled": column.labelled, "percent": column.percent},
                **dict(zip(table.headings, line.words, strict=True)),
                "run": line.run,
                **_numbers(errors.metrics[column.cell(line)], line.published[place]),
                **_difference(errors, column.cell(line)),
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


def _difference(errors: PaperErrors, cell: Cell) -> dict[str, float]:
    return difference(errors.predictions[cell], errors.predictions.get(cell._replace(run=NO_PRETRAINING)))


def _set(paper: str, own: str) -> str:
    """The paper's name of a set, and ours where it is another: another set stands for it here."""
    return paper if own.casefold() == paper.casefold() else f"{paper} (here: {own})"


def paper_grid(table: PaperTable, rows: pd.DataFrame) -> Grid:
    """The table for reading, from its `paper_errors`; our best of each set or share of labels is stressed."""
    group = table.columns_heading
    words = [group] * (len(table.columns) > 1) + list(table.headings)  # one set stands in the title
    columns = [(heading, rows[heading].tolist()) for heading in words]
    if words[0] == LABELLED_SET:
        columns[0] = (group, [_set(*pair) for pair in zip(rows[group], rows["labelled"], strict=True)])
    columns.append((_SEEDS, rows[_SEEDS].astype(str).tolist()))
    best = set()
    for measure in _SHOWN:
        best |= {(row, len(columns)) for row in best_rows(rows, [group], measure)}
        columns.append((measure.heading, mean_texts(rows, measure)))
        published = rows[f"{measure.key}_paper"]
        if published.notna().any():
            columns.append(("paper", ["" if pd.isna(value) else f"{value:.2f}" for value in published]))
    if rows[DIFFERENCE[0]].notna().any():
        columns.append((AGAINST, difference_texts(rows)))
    cells = list(zip(*(values for _, values in columns), strict=True))
    numbers = frozenset(range(len(words), len(columns)))
    return Grid([heading for heading, _ in columns], cells, numbers, frozenset(best))
