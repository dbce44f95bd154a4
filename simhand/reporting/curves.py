"""Training curves of all runs together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from simhand.reporting.figures import COLOURS, save_png
from simhand.reporting.inputs import Result, read_json_lines


def pretraining_curves(runs: Mapping[str, Path], path: Path) -> None:
    """The contrastive loss of each pre-training run against its steps (PNG)."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for colour, (name, metrics) in zip(_colours(len(runs)), runs.items(), strict=True):
        records = read_json_lines(metrics)
        axes.plot(
            [record["step"] for record in records], [record["loss"] for record in records], color=colour, label=name
        )
    _finish(axes, "step", "contrastive loss", "Pre-training")
    save_png(figure, path)


def finetuning_curves(results: Sequence[Result], path: Path) -> None:
    """The training error of each fine-tuned model against its epochs, one panel a labelled set (PNG)."""
    sets = list(dict.fromkeys(result.labelled for result in results))
    runs = list(dict.fromkeys(result.run for result in results))
    colours = dict(zip(runs, _colours(len(runs)), strict=True))
    figure = Figure(figsize=(7 * len(sets), 4), layout="constrained")
    panels = figure.subplots(1, len(sets), squeeze=False)[0]
    for axes, labelled in zip(panels, sets, strict=True):
        named: set[str] = set()
        for result in (each for each in results if each.labelled == labelled):
            records = read_json_lines(result.training)
            label = None if result.run in named else result.run
            named.add(result.run)
            steps, errors_mm = zip(*((record["epoch"], record["mpjpe_mm"]) for record in records), strict=True)
            axes.plot(steps, errors_mm, color=colours[result.run], label=label)
        _finish(axes, "epoch", "MPJPE of training images (mm)", f"Fine-tuning on {labelled}")
    save_png(figure, path)


def _colours(count: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(count)]


def _finish(axes: Axes, x: str, y: str, title: str) -> None:
    axes.set(xlabel=x, ylabel=y, title=title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
