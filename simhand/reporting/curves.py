"""Training curves of all runs together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from simhand.reporting.figures import GREY, LineStyle, save_png, styled
from simhand.reporting.inputs import Result, Run
from simhand.reporting.records import read_curve
from simhand.reporting.run_cards import RunCard, read_card
from simhand.reporting.table import run_label

_BELOW = {"learning_rate": "Learning rate", "gradient_norm": "Norm of the gradient", "images_per_s": "Images/s"}
_NOTE: dict[str, Any] = {"color": GREY, "fontsize": 8}
_MARKED = 25  # a curve of so many points or fewer has each of them marked
_LEGEND_COLUMNS = 4


@styled
def pretraining_curves(runs: Mapping[str, Run], styles: Mapping[str, LineStyle], path: Path) -> None:
    """Loss, learning rate, norm of the gradient and speed of each pre-training run (PNG).

    All are means over epochs but the learning rate, a smooth curve already. A dotted line is the loss of guessing.

    Raises:
        TableError: a run's card or metrics are missing or damaged.
    """
    figure = Figure(figsize=(10, 6.2), layout="constrained")
    panels = figure.subplot_mosaic([["loss"] * 3, list(_BELOW)], height_ratios=[1.7, 1])
    for name, run in runs.items():
        _draw_run(panels, run, styles[name], name)
    _draw_chances(panels["loss"], [read_card(run.card) for run in runs.values()])
    for key, title in {"loss": "Contrastive loss", **_BELOW}.items():
        _name_axes(panels[key], title, "")
    for key in ("gradient_norm", "images_per_s"):
        panels[key].set_ylim(bottom=0)
    _add_legend(figure, panels["loss"])
    save_png(figure, path)


def _draw_run(panels: Mapping[str, Axes], run: Run, style: LineStyle, name: str) -> None:
    curve = read_curve(run.metrics, ["step", "epoch", "loss", *_BELOW])
    card = read_card(run.card)
    steps_per_epoch = card.steps / card.epochs
    for key in ("loss", "gradient_norm", "images_per_s"):
        label = name if key == "loss" else None
        _draw(panels[key], *_epoch_means(curve["epoch"] + 1, curve[key]), style, label)  # epochs count from 0
    _draw(panels["learning_rate"], curve["step"] / steps_per_epoch, curve["learning_rate"], style, None)


def _draw_chances(axes: Axes, cards: Sequence[RunCard]) -> None:
    """A line for each number of views to guess among."""
    for views, chance in sorted({(2 * card.pairs_per_loss - 1, card.chance) for card in cards if card.chance}):
        axes.axhline(chance, color=GREY, linewidth=1, linestyle=":")
        text = f"guessing among {views:,} views, unweighted"
        axes.text(1, chance, text, transform=axes.get_yaxis_transform(), ha="right", va="bottom", **_NOTE)


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
