"""The cost of each stage, from benchmark files as Snakemake writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from simhand.reporting.costs import cost_grid, cost_table

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def write(path: Path, seconds: float, memory_mb: str, cpu_s: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{HEADER}{seconds}\t0:00:01\t{memory_mb}\t1\t1\t1\t0\t0\t50\t{cpu_s}\n")


@pytest.fixture
def benchmarks(tmp_path: Path) -> Path:
    folder = tmp_path / "benchmarks"
    write(folder / "pretrain" / "simhand.tsv", 7000.0, "2048.5", "9000.0")
    write(folder / "crop_hands" / "demo" / "0of2.tsv", 20.0, "300.25", "15.0")
    write(folder / "crop_hands" / "demo" / "1of2.tsv", 41.0, "NA", "NA")
    write(folder / "hand_model.tsv", 0.5, "NA", "NA")
    write(folder / "write_report.tsv", 99.0, "1", "1")
    return folder


def test_jobs_are_summed_by_rule(benchmarks: Path) -> None:
    table, lost = cost_table(benchmarks)
    assert lost == 0
    rows = table.fillna(-1).to_numpy().tolist()
    assert rows == [
        ["pretrain", 1, 7000.0, 7000.0, 9000.0, 2048.5],
        ["crop_hands", 2, 61.0, 41.0, 15.0, 300.25],
        ["hand_model", 1, 0.5, 0.5, -1.0, -1.0],
    ]
    assert cost_grid(table).rows == [
        ("pretrain", "1", "1 h 57 min", "1 h 57 min", "2 h 30 min", "2,048 MB"),
        ("crop_hands", "2", "1 min", "41.0 s", "15.0 s", "300 MB"),
        ("hand_model", "1", "0.5 s", "0.5 s", "", ""),
        ("all", "4", "1 h 58 min", "1 h 57 min", "2 h 30 min", "2,048 MB"),
    ]


def test_half_a_file_is_counted_as_lost(benchmarks: Path) -> None:
    (benchmarks / "draw_pool").mkdir()
    (benchmarks / "draw_pool" / "half.tsv").write_text(HEADER[:20])
    (benchmarks / "draw_pool" / "header.tsv").write_text(HEADER)
    (benchmarks / "draw_pool" / "empty.tsv").touch()
    table, lost = cost_table(benchmarks)
    assert lost == 3
    assert "draw_pool" not in set(table["rule"])


def test_without_benchmarks_there_are_no_costs(tmp_path: Path) -> None:
    table, lost = cost_table(tmp_path / "nowhere")
    assert (len(table), lost) == (0, 0)
