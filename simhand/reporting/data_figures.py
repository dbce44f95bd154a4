"""The figures of the data report."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from simhand.reporting.figures import BLUE, FAINT, GREEN, GREY, INK, ORANGE, save_png, styled
from simhand.reporting.hand_numbers import HandNumbers

_BINS = 40


@styled
def funnel_figure(counts: pa.Table, path: Path) -> None:
    """Hands from detection to pairs as bars, and beside each bar what is lost there (PNG).

    Args:
        counts: FUNNEL; the rows of hands are drawn, of all sources together.
        path: the PNG to write.
    """
    stages, losses = _hands_by_stage(counts)
    figure = Figure(figsize=(10, 0.5 * len(stages) + 0.7), layout="constrained")
    axes = figure.subplots()
    most = max([*stages.values(), 1])
    for place, ((pool, stage), count) in enumerate(stages.items()):
        axes.barh(place, count, color=GREEN if pool else BLUE, height=0.62)
        axes.text(count + most * 0.012, place, f"{count:,}", va="center", fontweight="bold")
        lost = ", ".join(f"{number:,} {reason}" for reason, number in losses[pool, stage].items() if number)
        if lost:
            axes.text(count + most * 0.11, place, f"\N{MINUS SIGN} {lost}", va="center", color=GREY, fontsize=8)
    labels = [f"{pool}: {stage}" if pool else f"hands {stage}" for pool, stage in stages]
    axes.set_yticks(range(len(stages)), labels)
    axes.set(xlim=(0, most * 1.75))
    axes.invert_yaxis()
    axes.xaxis.set_visible(False)
    axes.grid(visible=False)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    save_png(figure, path)


_Stage: TypeAlias = tuple[str, str]  # pool, stage


def _hands_by_stage(counts: pa.Table) -> tuple[dict[_Stage, int], dict[_Stage, Counter[str]]]:
    """How many hands reached each stage, and how many were lost there by reason, over all sources."""
    stages: Counter[_Stage] = Counter()
    losses: defaultdict[_Stage, Counter[str]] = defaultdict(Counter)
    for row in counts.to_pylist():
        key = (row["pool"], row["stage"])
        if row["unit"] == "hands" and row["loss"]:
            losses[key][row["loss"]] += row["count"]
        elif row["unit"] == "hands":
            stages[key] += row["count"]
    return dict(stages), losses


@styled
def hands_figure(videos: pd.DataFrame, numbers: HandNumbers, title: str, path: Path) -> None:
    """Sides, hands a video, box sizes, scores and visibility of one source (PNG).

    Args:
        videos: the source's rows of VIDEOS.
        numbers: of the source's hands.
        title: above the figure.
        path: the PNG to write.
    """
    figure = Figure(figsize=(10, 5.6), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    panels = figure.subplots(2, 3)
    _draw_sides(panels[0, 0], videos)
    _histogram(panels[0, 1], videos["hands"].to_numpy(), "hands in a video", whole=True)
    _histogram(panels[0, 2], numbers.box_px, "longer side of the box (px)")
    _histogram(panels[1, 0], numbers.score, "score of detection", limits=(0, 1))
    _histogram(panels[1, 1], numbers.keypoint_score, "score of keypoints", limits=(0, 1))
    _histogram(panels[1, 2], numbers.visible, "share of keypoints inside the frame", limits=(0, 1), bins=21)
    for axes in panels[:, 0]:
        axes.set_ylabel("hands")
    panels[0, 1].set_ylabel("videos")
    save_png(figure, path)


def _draw_sides(axes: Axes, videos: pd.DataFrame) -> None:
    """Left and right, as found and as kept: after balancing both are equal, or each is as found."""
    found = [int(videos["left"].sum()), int(videos["right"].sum())]
    kept_of_shorter = int(videos["kept"].sum())
    kept = [kept_of_shorter // 2] * 2 if kept_of_shorter != sum(found) else found
    places = np.arange(2)
    for shift, counts, colour, label in ((-0.2, found, FAINT, "found"), (0.2, kept, BLUE, "kept")):
        bars = axes.bar(places + shift, counts, 0.38, color=colour, edgecolor=GREY, linewidth=0.5, label=label)
        axes.bar_label(bars, [f"{count:,}" for count in counts], fontsize=8)
    axes.set_xticks(places, ["left", "right"])
    axes.margins(y=0.25)
    axes.legend(ncols=2, loc="upper center", fontsize=8)
    axes.grid(visible=False, axis="x")


def _histogram(
    axes: Axes,
    values: np.ndarray,
    name: str,
    *,
    limits: tuple[float, float] | None = None,
    bins: int = _BINS,
    whole: bool = False,
) -> None:
    axes.set_xlabel(name)
    if len(values) == 0:
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", color=GREY)
        axes.set(xticks=[], yticks=[])
        return
    low, high = limits or (0.0, float(np.quantile(values, 0.995)) or 1.0)
    edges: np.ndarray = np.linspace(low, high, bins + 1)
    if whole and high < 2 * bins:
        edges = np.arange(-0.5, high + 1.5)
    axes.hist(np.clip(values, edges[0], edges[-1]), edges.tolist(), color=BLUE)
    median = float(np.median(values))
    axes.axvline(median, color=ORANGE, linewidth=1.2)
    axes.set_title(f"median {median:,.3g}", color=ORANGE, fontsize=9, loc="right")


@styled
def pool_figure(distances: pd.DataFrame, variance: pd.DataFrame, chosen: pd.DataFrame, path: Path) -> None:
    """Distances by rank against random pairs, explained variance, and how often hands are chosen, of one pool (PNG).

    Args:
        distances: the pool's rows of DISTANCES.
        variance: its rows of EXPLAINED_VARIANCE.
        chosen: its rows of CHOSEN.
        path: the PNG to write.
    """
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=[1.3, 1, 1])
    _draw_distances(left, distances)
    _draw_variance(middle, variance)
    _draw_chosen(right, chosen)
    save_png(figure, path)


def _draw_distances(axes: Axes, distances: pd.DataFrame) -> None:
    random, ranks = distances[distances["rank"] == 0].iloc[0], distances[distances["rank"] > 0]
    axes.axhspan(random["q05"], random["q95"], color=FAINT, zorder=0)
    axes.axhline(random["q50"], color=GREY)
    axes.fill_between(ranks["rank"], ranks["q05"], ranks["q95"], color=BLUE, alpha=0.25, linewidth=0)
    axes.plot(ranks["rank"], ranks["q50"], color=BLUE, marker="o")
    axes.set(xlabel="rank", ylabel="distance in PCA space", title="Similar hands and random ones", ylim=(0, None))
    if len(ranks) and ranks["rank"].max() > 2 * len(ranks):
        axes.set_xscale("log")
    last = float(ranks["rank"].max()) if len(ranks) else 1.0
    axes.text(last, random["q50"], "random hands ", ha="right", va="bottom", color=INK, fontsize=8)
    if len(ranks):
        axes.text(last, ranks["q50"].iloc[-1], "similar hands ", ha="right", va="bottom", color=BLUE, fontsize=8)


def _draw_variance(axes: Axes, variance: pd.DataFrame) -> None:
    axes.bar(variance["component"], variance["explained"], color=FAINT, edgecolor=GREY, linewidth=0.5)
    axes.plot(variance["component"], variance["cumulative"], color=BLUE, marker="o", markersize=3)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    total = variance["cumulative"].iloc[-1]
    axes.set(xlabel="component", title=f"{total:.1%} of the variance explained", ylim=(0, 1.05))


def _draw_chosen(axes: Axes, chosen: pd.DataFrame) -> None:
    axes.bar(chosen["times"], chosen["hands"], color=BLUE)
    never = chosen.loc[chosen["times"] == 0, "hands"].sum() / max(chosen["hands"].sum(), 1)
    axes.set(xlabel="times chosen as the nearest", ylabel="hands", title=f"{never:.0%} of the hands never chosen")
    axes.set_yscale("log")
