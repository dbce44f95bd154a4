"""The table of errors: one row a pre-training run, labelled set and share of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from simhand.finetuning.settings import NO_PRETRAINING
from simhand.reporting.grid import Grid
from simhand.reporting.inputs import Result
from simhand.reporting.records import read_numbers


@dataclass(frozen=True)
class Measure:
    """A number of metrics.json, and how it is shown."""

    key: str
    heading: str
    factor: float
    less_is_better: bool


_MEASURES = (
    Measure("mpjpe_mm", "MPJPE (mm)", 1, less_is_better=True),
    Measure("pa_mpjpe_mm", "PA-MPJPE (mm)", 1, less_is_better=True),
    Measure("pck_auc_20_50", "PCK-AUC 20-50", 100, less_is_better=False),
)
_MEAN_POSE = "mean_pose_mpjpe_mm"  # of answering every image with the mean of the true poses
_GROUP = ["labelled", "percent"]  # what is compared with each other


def run_label(run: str) -> str:
    """What a pre-training run is called in tables and figures."""
    return "without pre-training" if run == NO_PRETRAINING else run


def error_table(results: Sequence[Result]) -> pd.DataFrame:
    """Mean and standard deviation over seeds of each measure; sets, shares and runs as they first come in `results`.

    Returns:
        columns labelled, percent, run, seeds, images, and for each measure its mean and, named `..._std`, its deviation
        (of the sample; empty with one seed). PCK-AUC is in percent, as in the paper. Last, mean_pose_mpjpe_mm.

    Raises:
        TableError: a file of metrics is missing, damaged or lacks a measure.
    """
    rows = pd.DataFrame([_row(result) for result in results])
    keys = [*_GROUP, "run"]
    groups = rows.groupby(keys, sort=False)
    table = groups.agg(seeds=("seed", "size"), images=("n_images", "first"))
    for measure in _MEASURES:
        table[measure.key] = groups[measure.key].mean()
        table[f"{measure.key}_std"] = groups[measure.key].std(ddof=1)
    table[_MEAN_POSE] = groups[_MEAN_POSE].first()
    return table.reset_index().sort_values(keys, key=lambda column: pd.factorize(column)[0], ignore_index=True)


def _row(result: Result) -> dict[str, object]:
    numbers = read_numbers(result.metrics, ["n_images", _MEAN_POSE, *(measure.key for measure in _MEASURES)])
    return {
        "labelled": result.labelled,
        "percent": result.percent,
        "run": result.run,
        "seed": result.seed,
        "n_images": int(numbers["n_images"]),
        _MEAN_POSE: numbers[_MEAN_POSE],
        **{measure.key: numbers[measure.key] * measure.factor for measure in _MEASURES},
    }


def table_grid(table: pd.DataFrame) -> Grid:
    """The table of errors for reading; the best value of each labelled set and share of labels is stressed."""
    header = ["labelled set", "labels", "pre-training", "seeds", *(measure.heading for measure in _MEASURES)]
    columns = [
        table["labelled"],
        [f"{percent} %" for percent in table["percent"]],
        [run_label(run) for run in table["run"]],
        table["seeds"].astype(str),
        *(_cells(table, measure) for measure in _MEASURES),
    ]
    best = {(row, column) for column, measure in enumerate(_MEASURES, 4) for row in _best_rows(table, measure)}
    return Grid(header, list(zip(*columns, strict=True)), frozenset({1, 3, 4, 5, 6}), frozenset(best))


def _cells(table: pd.DataFrame, measure: Measure) -> list[str]:
    return [
        f"{mean:.2f}" if pd.isna(deviation) else f"{mean:.2f} ± {deviation:.2f}"
        for mean, deviation in zip(table[measure.key], table[f"{measure.key}_std"], strict=True)
    ]


def _best_rows(table: pd.DataFrame, measure: Measure) -> list[int]:
    best = table.groupby(_GROUP)[measure.key].transform("min" if measure.less_is_better else "max")
    return table.index[table[measure.key] == best].tolist()


def mean_pose_note(table: pd.DataFrame) -> str:
    """What a model must beat to have learnt anything, in a sentence."""
    errors = table.groupby("labelled", sort=False)[_MEAN_POSE].first()
    each = ", ".join(f"{error:.2f} mm on {labelled}" for labelled, error in errors.items())
    return f"For comparison, the MPJPE of answering every image with the mean pose: {each}."
