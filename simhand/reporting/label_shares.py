"""The paper's Figure 4: errors by the share of the labels that is trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simhand.paper.tables import Line, PaperTable
from simhand.reporting.figures import LineStyle, run_styles, save_png, styled
from simhand.reporting.table import AUC, MPJPE, Measure


@styled
def label_shares(table: PaperTable, rows: pd.DataFrame, path: Path) -> None:
    """Draws MPJPE and PCK-AUC against the share of labels, a line a method and pool (PNG).

    With several seeds, bars show their standard deviation; the rows are the table's `paper_errors`.
    """
    styles = run_styles(table.runs())
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, measure in zip(panels, (MPJPE, AUC), strict=True):
        for line in table.lines:
            _draw_line(axes, rows[rows["run"] == line.run], measure, styles[line.run], line)
        shares = sorted(set(rows["percent"]))
        axes.set(title=measure.heading, xlabel="share of the labels (%)", xticks=shares)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    save_png(figure, path)


def _draw_line(axes: Axes, rows: pd.DataFrame, measure: Measure, style: LineStyle, line: Line) -> None:
    label = ", ".join(word for word in line.words if word != "-")
    looks: dict[str, Any] = {"color": style.color, "linestyle": style.linestyle, "marker": style.marker, "label": label}
    deviations = rows[f"{measure.key}_std"].astype(float).fillna(0.0)
    axes.errorbar(rows["percent"], rows[measure.key], deviations, capsize=3, **looks)
