"""Markdown tables."""

from __future__ import annotations

from simhand.reporting.grid import Grid, markdown


def test_markdown_is_aligned_and_escaped() -> None:
    grid = Grid(["name", "n"], [["a|b", "5"], ["c", "1,000"]], numbers=frozenset({1}))
    assert markdown(grid) == "| name |     n |\n| ---- | ----: |\n| a\\|b |     5 |\n| c    | 1,000 |\n"


def test_the_best_is_bold_and_columns_still_line_up() -> None:
    grid = Grid(["x", "error"], [["a", "5.00"], ["b", "40.00"]], frozenset({1}), frozenset({(0, 1)}))
    assert markdown(grid).splitlines()[2:] == ["| a | **5.00** |", "| b |    40.00 |"]


def test_a_table_without_rows() -> None:
    assert markdown(Grid(["name"], [])) == "| name |\n| ---- |\n"
