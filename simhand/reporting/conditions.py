"""Errors by finger, by the side of the hand that is seen, by what hides it, and by camera."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simhand.evaluation.conditions import SIDE_OF_HAND
from simhand.joints import FINGERS
from simhand.reporting.figures import LineStyle, save_png, styled
from simhand.reporting.inputs import Result
from simhand.reporting.records import numbers_of, read_record
from simhand.reporting.table import MPJPE, run_label

_FINGER = "finger"
_BINS = {"side": "by_side", "hidden": "by_hidden", "view": "by_view"}  # and their keys in metrics.json
_TITLES = {
    _FINGER: "by finger",
    "side": "by side of the hand",
    "hidden": "by share of hidden joints",
    "view": "by camera",
}
_FIXED_ORDER = {name: place for place, name in enumerate((*FINGERS, *SIDE_OF_HAND))}
_SHOWN = 12  # cameras in a panel; the CSV has all
_SPREAD = 0.6  # over which the runs of a bin lie, in distances of bins
_LEGEND_COLUMNS = 4


def condition_table(results: Sequence[Result]) -> pd.DataFrame:
    """Means over seeds of the errors in each bin.

    Returns:
        columns labelled, percent, condition (finger, side, hidden or view), bin, run, seeds, images (empty for
        fingers), mpjpe_mm and mpjpe_mm_std (of the sample; empty with one seed).

    Raises:
        TableError: a file of metrics is missing, damaged or lacks a measure.
    """
    rows = pd.DataFrame([row for result in results for row in _rows(result)])
    keys = ["labelled", "percent", "condition", "bin", "run"]
    groups = rows.groupby(keys, sort=False)
    table = groups.agg(
        seeds=("seed", "size"),
        images=("images", "first"),
        mpjpe_mm=(MPJPE.key, "mean"),
        mpjpe_mm_std=(MPJPE.key, "std"),
    )
    return table.reset_index().sort_values(keys, key=_in_order, ignore_index=True)


def _rows(result: Result) -> Iterator[dict[str, Any]]:
    record = read_record(result.metrics)
    of_result = {"labelled": result.labelled, "percent": result.percent, "run": result.run, "seed": result.seed}
    where = f"{result.metrics}, per_finger_mm"
    judged = [finger for finger, error_mm in record.get("per_finger_mm", {}).items() if error_mm is not None]
    for finger, error_mm in numbers_of(record.get("per_finger_mm"), judged, where).items():
        yield {**of_result, "condition": _FINGER, "bin": finger, "images": None, MPJPE.key: error_mm}
    for condition, key in _BINS.items():
        for name, measured in record.get(key, {}).items():
            numbers = numbers_of(measured, ["n_images", MPJPE.key], f"{result.metrics}, {key}.{name}")
            images = int(numbers["n_images"])
            yield {**of_result, "condition": condition, "bin": name, "images": images, MPJPE.key: numbers[MPJPE.key]}


def _in_order(column: pd.Series) -> np.ndarray:
    """Sets, shares, conditions and runs as they come first; bins in their own order, or by numbers in their names."""
    if column.name != "bin":
        return pd.factorize(column)[0]
    names = sorted(set(column), key=lambda name: (_FIXED_ORDER.get(name, -1), _natural(name)))
    return column.map({name: place for place, name in enumerate(names)}).to_numpy()


def _natural(name: str) -> list[tuple[float, str]]:
    parts = re.split(r"(\d+(?:\.\d+)?)", name)
    return [(float(part), "") if place % 2 else (-1.0, part) for place, part in enumerate(parts)]


@styled
def condition_figure(table: pd.DataFrame, styles: Mapping[str, LineStyle], path: Path) -> None:
    """Draws a panel a condition, a row of them a labelled set, with the largest share of its labels (PNG)."""
    most = table[table["percent"] == table.groupby("labelled")["percent"].transform("max")]
    sets = list(dict.fromkeys(most["labelled"]))
    conditions = [condition for condition in _TITLES if condition in set(most["condition"])]
    heights = [_height(most[most["labelled"] == name]) for name in sets]
    figure = Figure(figsize=(10, sum(heights) + 0.5), layout="constrained")
    panels = figure.subplots(len(sets), len(conditions), sharex="row", squeeze=False, height_ratios=heights)
    for name, row in zip(sets, panels, strict=True):
        row[0].set_ylabel(name)
        for condition, axes in zip(conditions, row, strict=True):
            own = most[(most["labelled"] == name) & (most["condition"] == condition)]
            _draw_panel(axes, own, styles, _TITLES[condition])
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), _LEGEND_COLUMNS))
    save_png(figure, path)


def _height(table: pd.DataFrame) -> float:
    """Inches of a row of panels."""
    bins = max(table.groupby("condition")["bin"].nunique())
    return 0.9 + 0.36 * min(bins, _SHOWN)


def _draw_panel(axes: Axes, table: pd.DataFrame, styles: Mapping[str, LineStyle], title: str) -> None:
    """A line a bin, a dot a run."""
    if len(table) == 0:
        axes.axis("off")
        return
    bins = list(dict.fromkeys(table["bin"]))[:_SHOWN]
    runs = list(dict.fromkeys(table["run"]))
    for place, run in enumerate(runs):
        own = table[(table["run"] == run) & table["bin"].isin(bins)]
        lines = [bins.index(name) + _SPREAD * ((place + 0.5) / len(runs) - 0.5) for name in own["bin"]]
        deviations = own["mpjpe_mm_std"].astype(float).fillna(0.0)
        looks: dict[str, Any] = {"color": styles[run].color, "marker": styles[run].marker, "linestyle": "none"}
        axes.errorbar(own["mpjpe_mm"], lines, xerr=deviations, label=run_label(run), **looks)
    counts = table.groupby("bin")["images"].first()
    axes.set_yticks(range(len(bins)), [_bin_label(name, counts[name]) for name in bins])
    axes.set_title(title, fontsize=9.5)
    axes.set(xlabel=MPJPE.heading, ylim=(len(bins) - 0.4, -0.6))


def _bin_label(name: str, images: float) -> str:
    return name if pd.isna(images) else f"{name} ({int(images):,})"
