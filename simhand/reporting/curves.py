"""Training curves of all runs together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from simhand.reporting.figures import LineStyle, save_png, styled
from simhand.reporting.inputs import Result
from simhand.reporting.records import read_curve
from simhand.reporting.table import run_label

_MARKED = 25  # a curve of so many points or fewer has each of them marked
_LEGEND_COLUMNS = 4


@styled
def pretraining_curves(runs: Mapping[str, Path], styles: Mapping[str, LineStyle], path: Path) -> None:
    """The contrastive loss of each pre-training run, a mean over each epoch (PNG).

    Raises:
        TableError: a run's metrics are missing or damaged.
    """
    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    axes = figure.subplots()
    for name, metrics in runs.items():
        curve = read_curve(metrics, ["epoch", "loss"])  # epochs count from 0
        _draw(axes, *_epoch_means(curve["epoch"] + 1, curve["loss"]), styles[name], name)
    _name_axes(axes, "Pre-training", "contrastive loss")
    _add_legend(figure, axes)
    save_png(figure, path)


@styled
def finetuning_curves(results: Sequence[Result], styles: Mapping[str, LineStyle], path: Path) -> None:
    """Loss and error on the training images: a row of panels a labelled set and share of labels, a line a model (PNG).

    Raises:
        TableError: a model's metrics are missing or damaged.
    """
    groups: dict[tuple[str, int], list[Result]] = {}
    for result in results:
        groups.setdefault((result.labelled, result.percent), []).append(result)
    figure = Figure(figsize=(10, 3.2 * len(groups) + 0.5), layout="constrained")
    panels = figure.subplots(len(groups), 2, squeeze=False)
    for ((labelled, percent), members), (left, right) in zip(groups.items(), panels, strict=True):
        _draw_models(members, styles, left, right)
        _name_axes(left, f"Fine-tuning on {labelled}, {percent} % of the labels", "training loss")
        _name_axes(right, "", "training MPJPE (mm)")
    _add_legend(figure, panels[0, 0])
    save_png(figure, path)


def _draw_models(results: Sequence[Result], styles: Mapping[str, LineStyle], left: Axes, right: Axes) -> None:
    named: set[str] = set()
    for result in results:
        curve = read_curve(result.training, ["epoch", "loss", "mpjpe_mm"])
        label = None if result.run in named else run_label(result.run)  # one entry of the legend for all seeds
        named.add(result.run)
        _draw(left, curve["epoch"], curve["loss"], styles[result.run], label)
        _draw(right, curve["epoch"], curve["mpjpe_mm"], styles[result.run], None)


def _epoch_means(epochs: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found, place = np.unique(epochs, return_inverse=True)
    return found, np.bincount(place, weights=values) / np.bincount(place)


def _draw(axes: Axes, epochs: np.ndarray, values: np.ndarray, style: LineStyle, label: str | None) -> None:
    marker = style.marker if len(epochs) <= _MARKED else "none"
    axes.plot(epochs, values, color=style.color, linestyle=style.linestyle, marker=marker, label=label)


def _name_axes(axes: Axes, title: str, ylabel: str) -> None:
    axes.set(title=title, xlabel="epoch", ylabel=ylabel)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _add_legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), _LEGEND_COLUMNS))
