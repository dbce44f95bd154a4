"""Errors joint by joint, as a table and on a drawn hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from simhand.errors import TableError
from simhand.finetuning.settings import NO_PRETRAINING
from simhand.joints import JOINTS, PARENTS
from simhand.reporting.figures import FAINT, INK, save_png, styled
from simhand.reporting.inputs import Result
from simhand.reporting.records import numbers_of, read_record
from simhand.reporting.table import run_label

_COLOURS, _CHANGES = "YlOrRd", "PuOr"  # of errors; of differences, less error in violet
_DOT_POINTS2 = 430  # area of a joint
_PALE = 0.62  # of a colour's lightness from which numbers on it are dark
# Where joints are drawn: a right hand seen from its back, x to the right, y up, about a finger's width apart.
_FINGERS: dict[str, list[tuple[float, float]]] = {
    "thumb": [(-1.15, 0.75), (-2.05, 1.6), (-2.75, 2.5), (-3.35, 3.35)],
    "index": [(-1.3, 3.2), (-1.65, 4.5), (-1.85, 5.55), (-2.0, 6.55)],
    "middle": [(-0.1, 3.4), (-0.15, 4.85), (-0.15, 6.0), (-0.15, 7.1)],
    "ring": [(1.05, 3.15), (1.3, 4.45), (1.45, 5.5), (1.6, 6.5)],
    "little": [(2.1, 2.6), (2.65, 3.55), (3.0, 4.5), (3.3, 5.45)],
}
_PLACES = np.array([(0.0, 0.0), *(place for finger in _FINGERS.values() for place in finger)])  # (21, 2)


def joint_table(results: Sequence[Result]) -> pd.DataFrame:
    """The error of each joint of each run, with the largest share of each set's labels; means over seeds.

    Returns:
        columns labelled, percent, run, joint (`simhand.joints.JOINTS`), seeds, and mpjpe_mm: wrist and length of one
        bone aligned, so 0 at the wrist. A joint that no image judges has no row.

    Raises:
        TableError: a file of metrics is missing, damaged or lacks a joint.
    """
    most = {result.labelled: 0 for result in results}
    for result in results:
        most[result.labelled] = max(most[result.labelled], result.percent)
    rows = [row for result in results if result.percent == most[result.labelled] for row in _rows(result)]
    groups = pd.DataFrame(rows).groupby(["labelled", "percent", "run", "joint"], sort=False)
    return groups.agg(seeds=("mpjpe_mm", "size"), mpjpe_mm=("mpjpe_mm", "mean")).reset_index()


def _rows(result: Result) -> list[dict[str, Any]]:
    errors_mm = read_record(result.metrics).get("per_joint_mm")
    if not isinstance(errors_mm, list) or len(errors_mm) != len(JOINTS):
        hint = "delete the file and start the workflow again: it will be made anew"
        raise TableError("metrics without 21 joints", where=f"{result.metrics}, per_joint_mm", got=errors_mm, hint=hint)
    known = {joint: value for joint, value in zip(JOINTS, errors_mm, strict=True) if value is not None}
    numbers = numbers_of(known, list(known), f"{result.metrics}, per_joint_mm")
    of_result = {"labelled": result.labelled, "percent": result.percent, "run": result.run}
    return [{**of_result, "joint": joint, "mpjpe_mm": error_mm} for joint, error_mm in numbers.items()]


def shown_runs(table: pd.DataFrame) -> list[str]:
    """Of one labelled set: no pre-training, and the pre-trained run with the least error, as far as there are such."""
    errors = table.groupby("run", sort=False)["mpjpe_mm"].mean()
    pretrained = errors.drop(NO_PRETRAINING, errors="ignore")
    return [NO_PRETRAINING] * (NO_PRETRAINING in errors) + ([str(pretrained.idxmin())] if len(pretrained) else [])


@styled
def joint_figure(table: pd.DataFrame, path: Path) -> None:
    """A row of hands a labelled set: without pre-training, with it, and the difference (PNG).

    Args:
        table: as `joint_table` returns it.
        path: the PNG to write.
    """
    sets = list(dict.fromkeys(table["labelled"]))
    figure = Figure(figsize=(10, 4.3 * len(sets)), layout=ConstrainedLayoutEngine(h_pad=0.12))  # inches
    panels = figure.subplots(len(sets), 3, squeeze=False)
    for name, row in zip(sets, panels, strict=True):
        own = table[table["labelled"] == name]
        hands = {run: _by_joint(own[own["run"] == run]) for run in shown_runs(own)}
        _draw_row(figure, list(row), name, hands)
    save_png(figure, path)


def _by_joint(table: pd.DataFrame) -> np.ndarray:
    """(21,), NaN where no image judges a joint."""
    return table.set_index("joint")["mpjpe_mm"].reindex(list(JOINTS)).to_numpy()


def _draw_row(figure: Figure, row: list[Axes], name: str, hands: dict[str, np.ndarray]) -> None:
    for axes in row:
        axes.axis("off")
    errors = Normalize(0, max(float(np.nanmax(hand)) for hand in hands.values()))
    for axes, (run, hand) in zip(row, hands.items(), strict=False):
        axes.set_title(f"{name}: {run_label(run)}", loc="center", parse_math=False)
        _draw_hand(axes, hand, ScalarMappable(errors, _COLOURS), "")
    drawn = row[: len(hands)]
    figure.colorbar(ScalarMappable(errors, _COLOURS), ax=drawn, location="bottom", shrink=0.5, aspect=40, label="mm")
    if len(hands) == 2:
        without, best = hands.values()
        most = float(np.nanmax(np.abs(best - without))) or 1.0
        changes = ScalarMappable(Normalize(-most, most), f"{_CHANGES}_r")
        row[2].set_title("with minus without pre-training", loc="center")
        _draw_hand(row[2], best - without, changes, "+")
        figure.colorbar(changes, ax=row[2], location="bottom", shrink=0.9, aspect=36, label="mm; less is better")


def _draw_hand(axes: Axes, values: np.ndarray, colours: ScalarMappable, sign: str) -> None:
    """`sign` is that of a number's format: + where it is a difference."""
    bones = [(_PLACES[joint], _PLACES[parent]) for joint, parent in enumerate(PARENTS)]
    axes.add_collection(LineCollection(bones, colors=FAINT, linewidths=9, capstyle="round", zorder=1))
    shades = colours.to_rgba(values)
    judged = np.isfinite(values)
    shades[~judged] = (1, 1, 1, 1)
    axes.scatter(_PLACES[:, 0], _PLACES[:, 1], s=_DOT_POINTS2, c=shades, edgecolors="white", linewidths=1, zorder=2)
    for (x, y), value, shade in zip(_PLACES, values, shades, strict=True):
        ink = INK if float(np.dot(shade[:3], (0.299, 0.587, 0.114))) > _PALE else "white"
        axes.text(x, y, _text(value, sign), ha="center", va="center", fontsize=6.5, color=ink, zorder=3)
    axes.set(xlim=(-4, 4), ylim=(-0.7, 7.8), aspect="equal")


def _text(value: float, sign: str) -> str:
    """So short that it fits into a joint."""
    if not np.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    return f"{value:{sign}.1f}" if abs(value) < 100 else f"{value:{sign}.0f}"
