"""Figures of the data report: what is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simhand.reporting.data_figures import funnel_figure, hands_figure, pool_figure
from simhand.reporting.data_inputs import DataInputs, Pool, Shard
from simhand.reporting.funnel import funnel
from simhand.reporting.hand_numbers import HandNumbers, hand_numbers
from simhand.reporting.videos_table import videos_table


def _heights(axes: Axes) -> list[float]:
    return [bar.get_height() for bar in axes.patches]


def _texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_bars_of_the_funnel_with_their_counts_and_losses(
    shard: Shard, pool: Pool, drawn: list[Figure], tmp_path: Path
) -> None:
    funnel_figure(funnel(DataInputs([shard], [pool], Path("crops"), Path("frames"))), tmp_path / "f.png")
    (axes,) = drawn[0].axes
    assert [bar.get_width() for bar in axes.patches] == [10, 9, 8, 7, 7, 6, 6]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        *("hands found", "hands balanced", "hands cropped", "hands with keypoints"),
        *("all: with keypoints", "all: in the pool", "all: with similar hands"),
    ]
    assert _texts(axes) == [
        *("10", "\N{MINUS SIGN} 1 surplus of left hands", "9", "\N{MINUS SIGN} 1 box outside the frame"),
        *("8", "\N{MINUS SIGN} 1 no keypoints: no hand", "7"),
        *("7", "\N{MINUS SIGN} 1 too many keypoints outside the frame", "6", "6"),
    ]


def test_hands_of_a_source(shard: Shard, drawn: list[Figure], tmp_path: Path) -> None:
    hands_figure(videos_table([shard]).to_pandas(), hand_numbers([shard]), "$wild_$", tmp_path / "h.png")
    sides, videos, visible, box_px, box_share, score, keypoint_score = drawn[0].axes
    assert _heights(sides) == [5, 5, 4, 5]  # found left and right, kept left and right
    assert _texts(sides) == ["5", "5", "4", "5"]
    assert _heights(videos) == [1, 0, 1, 1, 0, 1]  # 0, 2, 3 and 5 hands
    assert _heights(visible)[14] == 1
    assert _heights(visible)[21] == 6
    assert [sum(_heights(axes)) for axes in (box_px, box_share, score, keypoint_score)] == [10, 10, 10, 7]
    assert [axes.get_title(loc="right") for axes in (box_px, box_share)] == ["median 32", "median 0.5"]


@pytest.mark.filterwarnings("error")  # matplotlib's, that its panels have no room
def test_millions_of_hands_leave_the_panels_their_room(drawn: list[Figure], tmp_path: Path) -> None:
    counts = np.full(800, 1380)
    videos = pd.DataFrame({"hands": counts, **dict.fromkeys(("left", "right", "kept_left", "kept_right"), counts)})
    spread = np.random.default_rng(0).beta(2, 2, 2_000_000)
    hands_figure(videos, HandNumbers(spread, 200 * spread, spread, spread, spread), "large", tmp_path / "h.png")
    sides, videos_with, visible, *_ = drawn[0].axes
    assert _texts(sides) == ["1,104,000"] * 4
    assert [label.get_text() for label in sides.get_yticklabels()][:3] == ["0", "300k", "600k"]
    assert videos_with.get_title(loc="right") == "median 1,380"
    assert max(len(label.get_text()) for label in visible.get_yticklabels()) <= 4
    widths = [axes.get_position().width for axes in drawn[0].axes]
    assert min(widths) > 0.15


def test_a_source_without_hands_or_scores_says_none(drawn: list[Figure], tmp_path: Path) -> None:
    videos = pd.DataFrame({name: [0] for name in ("hands", "left", "right", "kept_left", "kept_right")})
    hands_figure(videos, HandNumbers(*[np.zeros(0)] * 5), "empty", tmp_path / "h.png")
    assert [_texts(axes) for axes in drawn[0].axes[2:]] == [["none"]] * 5
    assert _heights(drawn[0].axes[1]) == [1]


def test_a_long_tail_is_in_the_last_bar(drawn: list[Figure], tmp_path: Path) -> None:
    counts = np.append(np.full(999, 3), 100_000)
    videos = pd.DataFrame({"hands": counts, **dict.fromkeys(("left", "right", "kept_left", "kept_right"), counts)})
    hands_figure(videos, HandNumbers(*[np.zeros(0)] * 5), "wild", tmp_path / "h.png")
    axes = drawn[0].axes[1]
    assert _heights(axes) == [0, 0, 0, 1000]
    assert axes.get_xlabel() == "hands in a video\n(last bar: or more)"


def test_distances_stand_at_their_ranks_on_a_logarithmic_axis_where_they_reach_far(
    drawn: list[Figure], tmp_path: Path
) -> None:
    ranks = [0, 1, 2, 100, 5000]
    quantiles = {name: [9.0, 1, 2, 3, 4] for name in ("q05", "q25", "q50", "q75", "q95")}
    distances = pd.DataFrame({"rank": ranks, **quantiles})
    variance = pd.DataFrame({"component": [1, 2], "explained": [0.5, 0.25], "cumulative": [0.5, 0.75]})
    chosen = pd.DataFrame({"times": [0, 1, 4000], "hands": [60, 39, 1]})
    pool_figure(distances, variance, chosen, tmp_path / "p.png")
    left, middle, right = drawn[0].axes
    assert left.get_xscale() == "log"
    np.testing.assert_array_equal(left.get_lines()[1].get_xydata(), [[1, 1], [2, 2], [100, 3], [5000, 4]])
    assert middle.get_title(loc="left") == "75.0% of the variance explained"
    np.testing.assert_array_equal(right.get_lines()[0].get_xydata(), [[0, 60], [1, 39], [4000, 1]])
    assert right.get_title(loc="left") == "60% are nobody's nearest,\none is that of 4,000"
