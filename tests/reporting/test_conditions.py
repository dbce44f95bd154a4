"""Errors by finger and by how hands are seen, by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from simhand.errors import TableError
from simhand.joints import FINGERS
from simhand.reporting.conditions import condition_figure, condition_table
from simhand.reporting.figures import run_styles
from simhand.reporting.inputs import Result


def add(result: Result, **parts: Any) -> Result:
    result.metrics.write_text(json.dumps({**json.loads(result.metrics.read_text()), **parts}))
    return result


def bins(**errors_mm: float) -> dict[str, dict[str, float]]:
    return {name: {"n_images": 5, "mpjpe_mm": error_mm} for name, error_mm in errors_mm.items()}


def test_means_over_seeds_in_the_order_of_the_bins(make_result: Callable[..., Result]) -> None:
    results = [
        add(make_result("a", seed, 10.0, 0.5), by_side=bins(back=4.0 + 2 * seed, palm=1.0), by_view=bins(c10=9, c9=8))
        for seed in (0, 1)
    ]
    table = condition_table(results)
    assert table["condition"].tolist() == ["finger"] * 5 + ["side"] * 2 + ["view"] * 2
    assert table["bin"].tolist() == [*FINGERS, "palm", "back", "c9", "c10"]
    assert table["mpjpe_mm"].tolist() == [10, 11, 12, 13, 14, 1, 5, 8, 9]
    assert table["mpjpe_mm_std"].tolist() == pytest.approx([0] * 6 + [2**0.5, 0, 0])
    assert table["images"].tolist()[5:] == [5] * 4
    assert table["images"].isna().tolist()[:5] == [True] * 5


def test_shares_of_hidden_joints_rise(make_result: Callable[..., Result]) -> None:
    hidden = {"0.25-0.5": 1.0, "0": 2.0, "0.75-1": 3.0, "0-0.25": 4.0, "0.5-0.75": 5.0}
    table = condition_table([add(make_result("a", 0, 10.0, 0.5), by_hidden=bins(**hidden))])
    found = table[table["condition"] == "hidden"]["bin"].tolist()
    assert found == ["0", "0-0.25", "0.25-0.5", "0.5-0.75", "0.75-1"]


def test_a_finger_that_is_never_judged_is_left_out(make_result: Callable[..., Result]) -> None:
    result = make_result("a", 0, 10.0, 0.5)
    add(result, per_finger_mm=dict.fromkeys(FINGERS, 3.0) | {"ring": None})
    assert "ring" not in condition_table([result])["bin"].tolist()


def test_what_is_no_number_is_named(make_result: Callable[..., Result]) -> None:
    result = add(make_result("a", 0, 10.0, 0.5), by_side={"palm": {"n_images": 3}})
    with pytest.raises(TableError, match=r"(?s)mpjpe_mm is missing.*by_side\.palm"):
        condition_table([result])


def test_a_panel_a_condition_and_a_row_a_set(
    make_result: Callable[..., Result], tmp_path: Path, drawn: list[Figure]
) -> None:
    """With the largest share of the labels; a set that does not tell a condition has no such panel."""
    results = [
        add(
            make_result(run, 0, 10.0, 0.5, labelled=labelled, percent=percent),
            by_side=bins(palm=1.0) if labelled == "y" else {},
        )
        for labelled in ("x", "y")
        for percent in (100, 10)
        for run in ("none", "a")
    ]
    condition_figure(condition_table(results), run_styles(["none", "a"]), tmp_path / "conditions.png")
    fingers, absent, below, side = drawn[0].axes
    assert not absent.axison
    assert [text.get_text() for text in side.get_yticklabels()] == ["palm (5)"]
    assert [text.get_text() for text in below.get_yticklabels()] == list(FINGERS)
    assert len(fingers.containers) == 2
    assert fingers.containers[0].lines[0].get_xdata().tolist() == [10, 11, 12, 13, 14]


def test_bars_are_deviations_over_seeds(
    make_result: Callable[..., Result], tmp_path: Path, drawn: list[Figure]
) -> None:
    """Of the sample: with 8 and 12 mm as far as 8 ** 0.5 to each side of 10 mm; with one seed there is none."""
    results = [make_result("a", seed, 8.0 + 4 * seed, 0.5) for seed in (0, 1)] + [make_result("b", 0, 10.0, 0.5)]
    condition_figure(condition_table(results), run_styles(["a", "b"]), tmp_path / "conditions.png")
    several, one = (container.lines[2][0].get_segments() for container in drawn[0].axes[0].containers)
    assert several[0][:, 0] == pytest.approx([10 - 8**0.5, 10 + 8**0.5])
    assert one[0][:, 0].tolist() == [10, 10]
