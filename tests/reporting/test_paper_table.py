"""The paper's tables beside ours, by hand."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from simhand.errors import TableError
from simhand.evaluation.bootstrap import paired_difference
from simhand.mining.settings import NeighbourSettings
from simhand.paper.planning import Configured, paper_table
from simhand.paper.settings import PaperSettings
from simhand.paper.tables import Cell
from simhand.pretraining.settings import PretrainingSettings
from simhand.reporting.grid import markdown
from simhand.reporting.inputs import PaperErrors, Result
from simhand.reporting.paper_page import paper_section, write_paper_table
from simhand.reporting.paper_table import paper_errors, paper_grid
from tests.reporting.conftest import write_predictions


def test_each_cell_has_its_files_of_all_seeds(paper: PaperErrors) -> None:
    cells = [Cell(labelled, run, 100) for labelled in ("x", "y") for run in ("none", "simclr", "simhand")]
    assert list(paper.metrics) == cells
    assert [path.name for path in paper.metrics[cells[4]]] == ["y-simclr-100-0.json", "y-simclr-100-1.json"]


def test_our_errors_beside_the_papers(paper: PaperErrors) -> None:
    rows = paper_errors(paper)
    assert rows["labelled set"].tolist() == ["FreiHAND"] * 3 + ["AssemblyHands"] * 3
    assert rows["labelled"].tolist() == ["x"] * 3 + ["y"] * 3
    assert rows["method"].tolist() == ["w/o pre-training", "SimCLR", "SiMHand"] * 2
    assert rows["pre-training"].tolist() == ["-", "Ego-1M", "Ego-1M"] * 2
    assert rows["mpjpe_mm"].tolist() == [20.5, 22.5, 24.5, 30.5, 32.5, 34.5]
    assert rows["mpjpe_mm_std"].tolist() == pytest.approx([0.5**0.5] * 6)
    assert rows["mpjpe_mm_paper"].tolist() == [19.21, 19.36, 16.15, 19.17, 20.32, 18.26]
    assert rows["pck_auc_20_50"].tolist() == [50.0] * 6
    assert rows["pck_auc_20_50_paper"].tolist() == [85.61, 85.09, 89.48, 85.61, 83.85, 86.95]
    assert set(rows["seeds"]) == {2}


def test_the_table_for_reading(paper: PaperErrors) -> None:
    grid = paper_grid(paper.table, paper_errors(paper))
    assert list(grid.header) == [
        "labelled set", "method", "pre-training", "seeds", "MPJPE (mm)", "paper", "PCK-AUC 20-50", "paper",
        "against without (95 %)",
    ]  # fmt: skip
    assert list(grid.rows[1]) == [
        "FreiHAND (here: x)", "SimCLR", "Ego-1M", "2", "22.50 ± 0.71", "19.36", "50.00 ± 0.00", "85.09",
        "+2.00 (+2.0 to +2.0)",
    ]  # fmt: skip
    assert [row[8] for row in grid.rows[::3]] == ["", ""]  # without pre-training
    assert {cell for cell in grid.best if cell[1] == 4} == {(0, 4), (3, 4)}
    assert len({len(line) for line in markdown(grid).splitlines()}) == 1


def test_differences_are_to_the_line_without_pretraining_of_the_same_set(paper: PaperErrors) -> None:
    """Of the predictions, seed by seed, with the interval of the bootstrap; here of the last cell."""
    errors_mm = {"none": ([8, 9, 10, 11], [8, 9, 10, 12]), "simhand": ([6, 8, 9, 8], [7, 8, 8, 10])}
    for run, seeds in errors_mm.items():
        for path, of_seed in zip(paper.predictions[Cell("y", run, 100)], seeds, strict=True):
            write_predictions(path, of_seed)
    rows = paper_errors(paper)
    assert rows["difference_mm"].tolist()[:4] == pytest.approx([np.nan, 2, 4, np.nan], nan_ok=True)
    expected = paired_difference(
        *([np.array(seed, float) for seed in errors_mm[run]] for run in ("simhand", "none")), np.arange(4)
    )
    found = rows.iloc[-1][["difference_mm", "difference_low_mm", "difference_high_mm"]].tolist()
    assert found == pytest.approx([expected.mean_mm, expected.low_mm, expected.high_mm], abs=1e-3)
    text = paper_section(paper.table, rows).text
    assert "Against without" in text
    assert "With one seed" not in text


def test_a_table_whose_lines_are_all_pretrained_has_no_difference(make_result: Callable[..., Result]) -> None:
    """Table 4, with one rank."""
    runs = {"mine": PretrainingSettings.model_validate({"method": "simhand", "pool": "half"})}
    settings = PaperSettings(
        methods={"SiMHand": "mine"}, pools={"Ego-100K": "half"}, labelled={"FreiHAND": "x"}, ranks=(1,)
    )
    table = paper_table("table4", Configured(settings, runs, {"half": NeighbourSettings()}))
    result = make_result("mine", 0, 9.0, 0.5)
    rows = paper_errors(PaperErrors.of(table, [result.metrics], [result.predictions]))
    assert rows["difference_mm"].isna().all()
    assert list(paper_grid(table, rows).header) == [
        "positive",
        "seeds",
        "MPJPE (mm)",
        "paper",
        "PCK-AUC 20-50",
        "paper",
    ]
    assert "gainst without" not in paper_section(table, rows).text


def test_one_seed_and_figures_that_the_paper_does_not_have(tmp_path: Path, drawn: list[Figure]) -> None:
    """Figure 4, by hand: the lines are the errors, at the shares of labels."""
    runs = {"mine": PretrainingSettings.model_validate({"method": "simhand", "pool": "all"})}
    settings = PaperSettings(
        methods={"SiMHand": "mine"}, pools={"Ego-1M": "all"}, labelled={"FreiHAND": "x"}, label_percents=(10, 40)
    )
    table = paper_table("figure4", Configured(settings, runs, {"all": NeighbourSettings()}))
    errors_mm = {("none", 10): 40.0, ("mine", 10): 30.0, ("none", 40): 20.0, ("mine", 40): 15.0}
    metrics, predictions = [], []
    for _, run, percent in table.cells():
        metrics.append(tmp_path / f"{run}-{percent}.json")
        metrics[-1].write_text(json.dumps({"mpjpe_mm": errors_mm[run, percent], "pck_auc_20_50": percent / 100}))
        predictions.append(metrics[-1].with_suffix(".parquet"))
        write_predictions(predictions[-1], [errors_mm[run, percent]] * 2)
    write_paper_table(PaperErrors.of(table, metrics, predictions), tmp_path / "paper")
    assert {path.name for path in (tmp_path / "paper").iterdir()} == {
        f"figure4.{kind}" for kind in ("html", "md", "csv", "png")
    }
    names = [container.get_label() for container in drawn[0].axes[0].containers]
    assert names == ["w/o pre-training", "SiMHand, Ego-1M"]
    shown = [container.lines[0].get_xydata().tolist() for axes in drawn[0].axes for container in axes.containers]
    assert shown == [[[10, 40], [40, 20]], [[10, 30], [40, 15]], [[10, 10], [40, 40]], [[10, 10], [40, 40]]]
    with (tmp_path / "paper" / "figure4.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["labels"], row["percent"], row["run"], row["mpjpe_mm"]) for row in rows] == [
        ("10 %", "10", "none", "40.0"), ("10 %", "10", "mine", "30.0"),
        ("40 %", "40", "none", "20.0"), ("40 %", "40", "mine", "15.0"),
    ]  # fmt: skip
    assert "labelled set" not in rows[0]
    assert [float(row["difference_mm"] or 0) for row in rows] == pytest.approx([0, -10, 0, -5], abs=1e-3)
    assert {row["mpjpe_mm_paper"] for row in rows} == {row["mpjpe_mm_std"] for row in rows} == {""}
    text = " ".join((tmp_path / "paper" / "figure4.md").read_text().split())
    assert "| paper" not in text
    assert text.index("| labels | method") < text.index("against without (95 %)")
    assert "With one seed the interval is of these two models alone" in text
    assert "the labelled set x for FreiHAND; the pool all for Ego-1M" in text
    assert '<img alt="Figure 4' in (tmp_path / "paper" / "figure4.html").read_text()


def test_files_are_a_function_of_the_metrics(tmp_path: Path, paper: PaperErrors) -> None:
    for folder in ("a", "b"):
        write_paper_table(paper, tmp_path / folder)
    first, second = ({path.name: path.read_bytes() for path in (tmp_path / f).iterdir()} for f in ("a", "b"))
    assert first == second
    assert set(first) == {"table1.html", "table1.md", "table1.csv"}
    html = first["table1.html"].decode()
    assert "<strong>20.50 ± 0.71</strong>" in html
    assert "the labelled set x for FreiHAND, y for AssemblyHands; the pool all for Ego-1M" in html
    assert str(tmp_path) not in html


def test_missing_metrics_are_named(paper: PaperErrors) -> None:
    paper.metrics[Cell("y", "simhand", 100)][1].unlink()
    with pytest.raises(TableError, match=r"y-simhand-100-1\.json"):
        paper_errors(paper)
