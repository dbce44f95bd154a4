"""The table of errors: one row a pre-training run, labelled set and share of labels."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from simhand.errors import TableError
from simhand.reporting.inputs import Result, read_json
from simhand.reporting.markdown import markdown_table

# Key in metrics.json, factor, heading, decimals, and whether less is better.
_MEASURES = (
    ("mpjpe_mm", 1, "MPJPE (mm)", 2, True),
    ("pa_mpjpe_mm", 1, "PA-MPJPE (mm)", 2, True),
    ("pck_auc_20_50", 100, "PCK-AUC 20-50", 2, False),
)
_KEYS = ["labelled", "run", "percent"]
_NAMES = {"none": "without pre-training"}


def error_table(results: Sequence[Result]) -> pd.DataFrame:
    """Mean and standard deviation over seeds of each measure, in the order of `results`.

    Returns:
        columns labelled, run, percent, seeds, images, and for each measure its mean and, named `..._std`, its deviation
        (of the sample; empty with one seed). PCK-AUC is in percent, as in the paper.

    Raises:
        TableError: a file of metrics is missing, damaged or lacks a measure.
    """
    rows = pd.DataFrame([_row(result) for result in results])
    groups = rows.groupby(_KEYS, sort=False)
    table = groups.agg(seeds=("seed", "size"), images=("n_images", "first"))
    for key, *_ in _MEASURES:
        table[key] = groups[key].mean()
        table[f"{key}_std"] = groups[key].std(ddof=1)
    return table.reset_index()


def _row(result: Result) -> dict[str, object]:
    metrics = read_json(result.metrics)
    missing = {"n_images", *(key for key, *_ in _MEASURES)} - metrics.keys()
    if missing:
        raise TableError("metrics lack a measure", where=result.metrics, expected=", ".join(sorted(missing)))
    measures = {key: metrics[key] * factor for key, factor, *_ in _MEASURES}
    names = {"labelled": result.labelled, "run": result.run, "percent": result.percent, "seed": result.seed}
    return {**names, "n_images": metrics["n_images"], **measures}


def display_table(table: pd.DataFrame) -> pd.DataFrame:
    """The table of errors for reading: headings, units, and deviations where there are several seeds."""
    names = [_NAMES.get(run, run) for run in table["run"]]
    shown = pd.DataFrame({"labelled set": table["labelled"], "labels": table["percent"].astype(str) + " %"})
    shown["pre-training"] = names
    for key, _, heading, decimals, _ in _MEASURES:
        shown[heading] = [_cell(row, key, decimals) for _, row in table.iterrows()]
    return shown


def format_table(table: pd.DataFrame) -> str:
    """The table of errors as Markdown; the best value of each labelled set and share of labels is bold."""
    shown = display_table(table)
    for key, _, heading, _, less in _MEASURES:
        best = table.groupby(["labelled", "percent"])[key].transform("min" if less else "max")
        shown[heading] = shown[heading].where(table[key] != best, "**" + shown[heading] + "**")
    return markdown_table(list(shown.columns), shown.to_numpy().tolist())


def _cell(row: pd.Series, key: str, decimals: int) -> str:
    deviation = row[f"{key}_std"]
    return f"{row[key]:.{decimals}f}" + ("" if pd.isna(deviation) else f" ± {deviation:.{decimals}f}")
