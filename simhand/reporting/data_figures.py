"""The figures of the data report."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from textwrap import fill
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator, PercentFormatter

from simhand.reporting.figures import BLUE, FAINT, GREEN, GREY, INK, ORANGE, save_png, styled
from simhand.reporting.hand_numbers import HandNumbers, bin_edges, count_in_bins

_BINS = 40  # of the histogram of hands in a video, at most
_MOST = 0.995  # of the videos lie below its last bin
_WHOLE = 100  # a greater median is shown without decimals
_LOSS = 52  # letters in a line of losses beside a bar
_BESIDE: dict[str, Any] = {"va": "center", "color": GREY, "fontsize": 8, "parse_math": False}
_BARS = 60  # a longer tail is drawn as dots


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
        shown = axes.text(count + most * 0.012, place, f"{count:,}", va="center", fontweight="bold")
        lost = ", ".join(f"{number:,} {reason}" for reason, number in losses[pool, stage].items() if number)
        if lost:
            lost = fill(f"\N{MINUS SIGN} {lost}", _LOSS)
            axes.annotate(lost, (1.0, 0.5), (8, 0), xycoords=shown, textcoords="offset points", **_BESIDE)
    labels = [f"{pool}: {stage}" if pool else f"hands {stage}" for pool, stage in stages]
    axes.set_yticks(range(len(stages)), labels)
    axes.set(xlim=(0, most * 2))
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
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold", parse_math=False)
    panels = figure.subplot_mosaic("AAAABBBBCCCC;DDDEEEFFFGGG")
    _draw_sides(panels["A"], videos)
    hands = videos["hands"].to_numpy()
    _histogram(panels["B"], hands, _whole_edges(hands), "hands in a video")
    for panel, quantity, name in (
        ("C", "visible", "share of keypoints inside the frame"),
        ("D", "box_px", "longer side of the box (px)"),
        ("E", "box_share", "box / frame, longer sides"),
        ("F", "score", "score of detection"),
        ("G", "keypoint_score", "score of keypoints"),
    ):
        values = getattr(numbers, quantity)
        _histogram(panels[panel], values, bin_edges(values, quantity), name)
    for panel in "AD":
        panels[panel].set_ylabel("hands")
    panels["B"].set_ylabel("videos")
    save_png(figure, path)


def _draw_sides(axes: Axes, videos: pd.DataFrame) -> None:
    places = np.arange(2)
    found, kept = [[int(videos[f"{what}{side}"].sum()) for side in ("left", "right")] for what in ("", "kept_")]
    for shift, counts, colour, label in ((-0.2, found, FAINT, "found"), (0.2, kept, BLUE, "kept")):
        bars = axes.bar(places + shift, counts, 0.38, color=colour, edgecolor=GREY, linewidth=0.5, label=label)
        axes.bar_label(bars, [f"{count:,}" for count in counts], fontsize=8)
    axes.set_xticks(places, ["left", "right"])
    axes.set_ylim(0, 1.35 * max([*found, *kept, 1]))
    axes.legend(ncols=2, loc="upper center", fontsize=8)
    axes.grid(visible=False, axis="x")
    _count(axes)


def _count(axes: Axes) -> None:
    """Whole numbers upwards, 200k for 200,000: longer ones would leave the panels no room."""
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_formatter(EngFormatter(sep=""))


def _whole_edges(values: np.ndarray) -> np.ndarray:
    """The borders of bins of whole numbers, as many in each, up to nearly all values."""
    high = int(np.ceil(np.quantile(values, _MOST))) if len(values) else 0
    width = -(-(high + 1) // _BINS)
    return np.arange(0, high + width + 1, width) - 0.5


def _histogram(axes: Axes, values: np.ndarray, edges: np.ndarray, name: str) -> None:
    if len(values) == 0:
        axes.set(xlabel=name, xticks=[], yticks=[])
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", color=GREY)
        return
    beyond = bool(values.max() > edges[-1] * (1 + 1e-6))
    axes.set_xlabel(f"{name}\n(last bar: or more)" if beyond else name)
    axes.bar(edges[:-1], count_in_bins(values, edges), np.diff(edges), align="edge", color=BLUE)
    _count(axes)
    axes.xaxis.set_major_locator(MaxNLocator(4, min_n_ticks=1))
    median = float(np.median(values))
    axes.axvline(min(median, edges[-1]), color=ORANGE, linewidth=1.2)
    shown = f"{median:,.0f}" if median >= _WHOLE else f"{median:.3g}"
    axes.set_title(f"median {shown}", color=ORANGE, fontsize=9, loc="right")


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
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    last = float(ranks["rank"].max()) if len(ranks) else 1.0
    _write_above(axes, "random hands", last, random["q50"], INK)
    if len(ranks):
        _write_above(axes, "similar hands", last, ranks["q50"].iloc[-1], BLUE)


def _write_above(axes: Axes, text: str, x: float, y: float, colour: str) -> None:
    axes.annotate(text, (x, y), (0, 6), textcoords="offset points", ha="right", color=colour, fontsize=8)


def _draw_variance(axes: Axes, variance: pd.DataFrame) -> None:
    axes.bar(variance["component"], variance["explained"], color=FAINT, edgecolor=GREY, linewidth=0.5)
    axes.plot(variance["component"], variance["cumulative"], color=BLUE, marker="o", markersize=3)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    total = variance["cumulative"].iloc[-1]
    axes.set(xlabel="component", title=f"{total:.1%} of the variance explained", ylim=(0, 1.05))


def _draw_chosen(axes: Axes, chosen: pd.DataFrame) -> None:
    times, hands = chosen["times"], chosen["hands"]
    if times.max() <= _BARS:
        axes.bar(times, hands, color=BLUE)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        axes.plot(times, hands, color=BLUE, marker=".", linestyle="none")
        axes.set_xscale("symlog", linthresh=1)
    never = hands[times == 0].sum() / max(hands.sum(), 1)
    title = f"{never:.0%} are nobody's nearest,\none is that of {times.max():,}"
    axes.set(xlabel="times chosen as the nearest", ylabel="hands", title=title)
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.5)
