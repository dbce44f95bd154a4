from __future__ import annotations

import json
from pathlib import Path

import pytest

from simhand.errors import TableError
from simhand.reporting.inputs import Result
from simhand.reporting.markdown import markdown_table
from simhand.reporting.table import error_table, format_table


def result(folder: Path, run: str, seed: int, mpjpe_mm: float, auc: float, *, labelled: str = "hands") -> Result:
    path = folder / f"{labelled}-{run}-{seed}.json"
    path.write_text(
        json.dumps({"mpjpe_mm": mpjpe_mm, "pa_mpjpe_mm": mpjpe_mm / 2, "pck_auc_20_50": auc, "n_images": 40})
    )
    return Result(labelled, run, 100, seed, path, folder / "unused")


def test_mean_and_deviation_over_seeds_in_the_given_order(tmp_path: Path) -> None:
    results = [
        result(tmp_path, "none", 0, 20.0, 0.5),
        result(tmp_path, "none", 1, 24.0, 0.4),
        result(tmp_path, "better", 0, 10.0, 0.8),
        result(tmp_path, "better", 1, 10.0, 0.8),
    ]
    table = error_table(results)
    assert table["run"].tolist() == ["none", "better"]
    assert table["seeds"].tolist() == [2, 2]
    assert table["mpjpe_mm"].tolist() == [22.0, 10.0]
    assert table["mpjpe_mm_std"].tolist() == pytest.approx([8**0.5, 0.0])
    assert table["pck_auc_20_50"].tolist() == pytest.approx([45.0, 80.0])
    assert table["pa_mpjpe_mm"].tolist() == [11.0, 5.0]


def test_one_seed_has_no_deviation_and_the_best_is_bold(tmp_path: Path) -> None:
    results = [result(tmp_path, "none", 0, 20.0, 0.9), result(tmp_path, "simhand", 0, 10.0, 0.8)]
    lines = format_table(error_table(results)).splitlines()
    assert [cell.strip() for cell in lines[2].strip("|").split("|")] == [
        "hands", "100 %", "without pre-training", "20.00", "10.00", "**90.00**",
    ]  # fmt: skip
    assert "**10.00**" in lines[3]
    assert "**5.00**" in lines[3]
    assert "80.00" in lines[3]
    assert len({len(line) for line in lines}) == 1  # aligned


def test_each_labelled_set_has_its_own_best(tmp_path: Path) -> None:
    results = [result(tmp_path, "a", 0, 5.0, 0.9, labelled="x"), result(tmp_path, "a", 0, 50.0, 0.1, labelled="y")]
    text = format_table(error_table(results))
    assert "**5.00**" in text
    assert "**50.00**" in text


def test_metrics_that_are_missing_damaged_or_incomplete_are_named(tmp_path: Path) -> None:
    good = result(tmp_path, "a", 0, 5.0, 0.9)
    for content in (None, '{"mpjpe_mm": 1', '{"mpjpe_mm": 1}'):
        good.metrics.unlink() if content is None else good.metrics.write_text(content)
        with pytest.raises(TableError, match=r"hands-a-0\.json"):
            error_table([good])


def test_markdown_is_aligned_and_escaped() -> None:
    assert markdown_table(["name", "n"], [["a|b", 5], ["c", 10]]) == (
        "| name |  n |\n| ---- | -: |\n| a\\|b |  5 |\n| c    | 10 |\n"
    )
    assert markdown_table(["name"], []) == "| name |\n| ---- |\n"
