"""The table of errors: one row a pre-training run, labelled set and share of labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from simhand.evaluation.bootstrap import compare_runs
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


MPJPE = Measure("mpjpe_mm", "MPJPE (mm)", 1, less_is_better=True)
AUC = Measure("pck_auc_20_50", "PCK-AUC 20-50", 100, less_is_better=False)
_SHOWN = (MPJPE, Measure("pa_mpjpe_mm", "PA-MPJPE (mm)", 1, less_is_better=True), AUC)
_MEASURES = (*_SHOWN, Measure("pck_auc_0_50", "PCK-AUC 0-50", 100, less_is_better=False))
_MEAN_POSE = "mean_pose_mpjpe_mm"  # of answering every image with the mean of the true poses
_GROUP = ["labelled", "percent"]  # what is compared with each other
_NUMBERS = frozenset({1, 3, 4, 5, 6, 7})  # columns on the page
DIFFERENCE = ("difference_mm", "difference_low_mm", "difference_high_mm")
AGAINST = "against without (95 %)"  # heading of the difference and its interval


def run_label(run: str) -> str:
    """What a pre-training run is called in tables and figures."""
    return "without pre-training" if run == NO_PRETRAINING else run


def error_table(results: Sequence[Result]) -> pd.DataFrame:
    """Mean and standard deviation over seeds of each measure; sets, shares and runs as they first come in `results`.

    Returns:
        columns labelled, percent, run, seeds, images, and for each measure its mean and, named `..._std`, its deviation
        (of the sample; empty with one seed). PCK-AUC is in percent, as in the paper. Then mean_pose_mpjpe_mm, and
        difference_mm, difference_low_mm and difference_high_mm: the MPJPE less that without pre-training, and its 95 %
        interval (`simhand.evaluation.bootstrap`); empty where there is nothing to compare with.

    Raises:
        TableError: a file of metrics or predictions is missing, damaged or lacks a measure.
    """
    rows = pd.DataFrame([_row(result) for result in results])
    keys = [*_GROUP, "run"]
    groups = rows.groupby(keys, sort=False)
    table = groups.agg(seeds=("seed", "size"), images=("n_images", "first"))
    for measure in _MEASURES:
        table[measure.key] = groups[measure.key].mean()
        table[f"{measure.key}_std"] = groups[measure.key].std(ddof=1)
    table[_MEAN_POSE] = groups[_MEAN_POSE].first()
    ordered = table.reset_index().sort_values(keys, key=lambda column: pd.factorize(column)[0], ignore_index=True)
    return ordered.join(_differences(ordered, results))


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


def _differences(table: pd.DataFrame, results: Sequence[Result]) -> pd.DataFrame:
    """Of each row of the table to the one without pre-training."""
    files: dict[tuple[str, int, str], list[Path]] = {}
    for result in sorted(results, key=lambda result: result.seed):  # so that equal seeds are paired
        files.setdefault((result.labelled, result.percent, result.run), []).append(result.predictions)
    found = [
        difference(files[labelled, percent, run], files.get((labelled, percent, NO_PRETRAINING)))
        for labelled, percent, run in zip(table["labelled"], table["percent"], table["run"], strict=True)
    ]
    return pd.DataFrame(found)


def difference(run: Sequence[Path], baseline: Sequence[Path] | None) -> dict[str, float]:
    """A run's MPJPE less the baseline's and its 95 % interval, named as in DIFFERENCE; NaN where it has no other.

    Args:
        run: tables of predictions, one a seed.
        baseline: those without pre-training, in the same order of seeds.

    Raises:
        TableError: a table cannot be read, or is of other images.
    """
    if baseline is None or run == baseline:
        return dict.fromkeys(DIFFERENCE, math.nan)
    found = compare_runs(run, baseline)
    return dict(zip(DIFFERENCE, (found.mean_mm, found.low_mm, found.high_mm), strict=True))


def table_grid(table: pd.DataFrame) -> Grid:
    """The table of errors for reading; the best value of each labelled set and share of labels is stressed."""
    columns = {
        "labelled set": table["labelled"],
        "labels": [f"{percent} %" for percent in table["percent"]],
        "pre-training": [run_label(run) for run in table["run"]],
        "seeds": table["seeds"].astype(str),
        **{measure.heading: mean_texts(table, measure) for measure in _SHOWN},
    }
    places = {heading: place for place, heading in enumerate(columns)}
    best = {(row, places[measure.heading]) for measure in _SHOWN for row in best_rows(table, _GROUP, measure)}
    columns[AGAINST] = difference_texts(table)
    return Grid(list(columns), list(zip(*columns.values(), strict=True)), _NUMBERS, frozenset(best))


def mean_texts(table: pd.DataFrame, measure: Measure) -> list[str]:
    """A measure of each row, with its deviation over seeds where there are several."""
    return [
        f"{mean:.2f}" if pd.isna(deviation) else f"{mean:.2f} ± {deviation:.2f}"
        for mean, deviation in zip(table[measure.key], table[f"{measure.key}_std"], strict=True)
    ]


def difference_texts(table: pd.DataFrame) -> list[str]:
    """The difference of each row with its interval; empty where there is none."""
    return [_difference_text(*row) for row in zip(*(table[name].tolist() for name in DIFFERENCE), strict=True)]


def _difference_text(mean_mm: float, low_mm: float, high_mm: float) -> str:
    if pd.isna(mean_mm):
        return ""
    return f"{mean_mm:+.2f}" + ("" if pd.isna(low_mm) else f" ({low_mm:+.1f} to {high_mm:+.1f})")


def interval_note(table: pd.DataFrame) -> str:
    """What intervals of models with one seed do not tell, in a sentence; empty where there are none."""
    if not (table[DIFFERENCE[0]].notna() & (table["seeds"] == 1)).any():
        return ""
    return (
        "With one seed the interval is of these two models alone, not of the methods: training again may give others."
    )


def best_rows(table: pd.DataFrame, group: Sequence[str], measure: Measure) -> list[int]:
    """The rows with the best mean of each group."""
    best = table.groupby(list(group))[measure.key].transform("min" if measure.less_is_better else "max")
    return table.index[table[measure.key] == best].tolist()


def mean_pose_note(table: pd.DataFrame) -> str:
    """What a model must beat to have learnt anything, in a sentence."""
    errors = table.groupby("labelled", sort=False)[_MEAN_POSE].first()
    each = ", ".join(f"{error:.2f} mm on {labelled}" for labelled, error in errors.items())
    return f"For comparison, the MPJPE of answering every image with the mean pose: {each}."
