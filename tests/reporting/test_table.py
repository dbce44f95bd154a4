"""The table of errors, by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from simhand.errors import TableError
from simhand.evaluation.bootstrap import paired_difference
from simhand.reporting.grid import markdown
from simhand.reporting.inputs import Result
from simhand.reporting.table import error_table, interval_note, mean_pose_note, table_grid
from tests.reporting.conftest import write_predictions


def format_table(table: pd.DataFrame) -> str:
    return markdown(table_grid(table))


def test_mean_and_deviation_over_seeds_in_the_given_order(make_result: Callable[..., Result]) -> None:
    results = [
        make_result("none", 0, 20.0, 0.5),
        make_result("none", 1, 24.0, 0.4),
        make_result("better", 0, 10.0, 0.8),
        make_result("better", 1, 10.0, 0.8),
    ]
    table = error_table(results)
    assert table["run"].tolist() == ["none", "better"]
    assert table["seeds"].tolist() == [2, 2]
    assert table["images"].tolist() == [40, 40]
    assert table["mpjpe_mm"].tolist() == [22.0, 10.0]
    assert table["mpjpe_mm_std"].tolist() == pytest.approx([8**0.5, 0.0])
    assert table["pck_auc_20_50"].tolist() == pytest.approx([45.0, 80.0])
    assert table["pa_mpjpe_mm"].tolist() == [11.0, 5.0]


def test_what_is_compared_stands_together(make_result: Callable[..., Result]) -> None:
    results = [
        make_result(run, 0, 1.0, 0.5, labelled=labelled, percent=percent)
        for run in ("simhand", "none")
        for labelled in ("x", "a")
        for percent in (100, 10)
    ]
    rows = error_table(results)[["labelled", "percent", "run"]].to_numpy().tolist()
    assert rows == [
        [labelled, percent, run] for labelled in ("x", "a") for percent in (100, 10) for run in ("simhand", "none")
    ]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_one_seed_has_no_deviation_and_the_best_is_bold(make_result: Callable[..., Result]) -> None:
    lines = format_table(
        error_table([make_result("none", 0, 20.0, 0.9), make_result("simhand", 0, 10.0, 0.8)])
    ).splitlines()
    assert _cells(lines[2]) == ["hands", "100 %", "without pre-training", "1", "20.00", "10.00", "**90.00**", ""]
    assert _cells(lines[3]) == [
        "hands",
        "100 %",
        "simhand",
        "1",
        "**10.00**",
        "**5.00**",
        "80.00",
        "-10.00 (-10.0 to -10.0)",
    ]
    assert len({len(line) for line in lines}) == 1  # aligned


def test_several_seeds_show_their_deviation(make_result: Callable[..., Result]) -> None:
    text = format_table(error_table([make_result("none", seed, 20.0 + seed, 0.9) for seed in range(3)]))
    assert "**21.00 ± 1.00**" in text


def test_the_difference_to_no_pretraining_is_that_of_the_predictions(make_result: Callable[..., Result]) -> None:
    """Not of the metrics, and with the interval of the bootstrap; each set and share has its own baseline."""
    results = [
        make_result(run, seed, 50.0, 0.5, labelled=labelled)
        for labelled in ("x", "y")
        for run in ("none", "a")
        for seed in (0, 1)
    ]
    errors_mm = {"none": ([8, 9, 10, 11, 12], [8, 9, 10, 11, 12]), "a": ([6, 8, 9, 8, 10], [7, 8, 8, 9, 10])}
    for result in results[:4]:
        write_predictions(result.predictions, errors_mm[result.run][result.seed])
    table = error_table([*results[::-1], make_result("alone", 0, 5.0, 0.5, labelled="z")]).set_index(
        ["labelled", "run"]
    )
    found = table.loc[("x", "a")]
    assert found["difference_mm"] == pytest.approx(8.3 - 10)
    paired = [[np.array(seed, float) for seed in errors_mm[run]] for run in ("a", "none")]
    expected = paired_difference(*paired, np.arange(5))
    assert found["difference_low_mm"] == pytest.approx(expected.low_mm, abs=1e-3)  # predictions are float32
    assert found["difference_high_mm"] == pytest.approx(expected.high_mm, abs=1e-3)
    assert expected.low_mm < -1.7 < expected.high_mm
    assert table.loc[("y", "a"), "difference_mm"] == pytest.approx(0)
    assert table["difference_mm"].isna().tolist() == [False, True, False, True, True]


def test_what_an_interval_of_one_seed_does_not_tell_is_said(make_result: Callable[..., Result]) -> None:
    def note(runs: list[str], seeds: int) -> str:
        return interval_note(error_table([make_result(run, seed, 9.0, 0.5) for run in runs for seed in range(seeds)]))

    assert "two models alone, not of the methods" in note(["none", "a"], 1)
    assert note(["none", "a"], 2) == ""
    assert note(["a", "b"], 1) == ""  # no interval


def test_the_column_says_what_its_brackets_are(make_result: Callable[..., Result]) -> None:
    grid = table_grid(error_table([make_result(run, 0, 9.0, 0.5) for run in ("none", "a")]))
    assert grid.header[-1] == "against without (95 %)"


def test_each_labelled_set_and_share_has_its_own_best(make_result: Callable[..., Result]) -> None:
    results = [
        make_result("a", 0, 5.0, 0.9, labelled="x"),
        make_result("a", 0, 50.0, 0.1, labelled="y"),
        make_result("a", 0, 70.0, 0.1, labelled="y", percent=10),
    ]
    text = format_table(error_table(results))
    for best in ("**5.00**", "**50.00**", "**70.00**"):
        assert best in text


def test_equally_good_runs_are_both_bold(make_result: Callable[..., Result]) -> None:
    text = format_table(error_table([make_result("a", 0, 5.0, 0.9), make_result("b", 0, 5.0, 0.8)]))
    assert text.count("**5.00**") == 2


def test_the_mean_pose_is_named_once_for_each_set(make_result: Callable[..., Result]) -> None:
    results = [make_result(run, 0, 5.0, 0.9, labelled=labelled) for labelled in ("x", "y") for run in ("a", "b")]
    assert mean_pose_note(error_table(results)).endswith("mean pose: 59.25 mm on x, 59.25 mm on y.")


@pytest.mark.parametrize(
    "content",
    [None, "", '{"mpjpe_mm": 1', '{"mpjpe_mm": 1}', "[1]", "4"]
    + [
        f'{{"mpjpe_mm": {value}, "pa_mpjpe_mm": 1, "pck_auc_20_50": 1, "pck_auc_0_50": 1, "n_images": 4, '
        '"mean_pose_mpjpe_mm": 9}'
        for value in ("NaN", "Infinity", "null", '"9"')
    ],
)
def test_wrong_metrics_are_named(make_result: Callable[..., Result], content: str | None) -> None:
    result = make_result("a", 0, 5.0, 0.9)
    if content is None:
        result.metrics.unlink()
    else:
        result.metrics.write_text(content)
    with pytest.raises(TableError, match=r"hands-a-100-0\.json"):
        error_table([result])
