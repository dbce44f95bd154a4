"""What the paper's tables are made of with a configuration, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from simhand.errors import ConfigError
from simhand.paper.planning import Configured, paper_table, table_or_reason
from simhand.paper.published import PUBLISHED
from simhand.paper.tables import Cell, PaperTable


def changed(configured: Configured, **settings: Any) -> Configured:
    return configured._replace(paper=configured.paper.model_copy(update=settings))


def possible_tables(configured: Configured | None) -> dict[str, PaperTable]:
    """The tables that can be made, by name."""
    tables = {name: table_or_reason(name, configured)[0] for name in PUBLISHED}
    return {name: table for name, table in tables.items() if table is not None}


def test_table_1_has_the_configured_pools_and_sets(configured: Configured) -> None:
    table = paper_table("table1", changed(configured, labelled={"FreiHAND": "x", "AssemblyHands": "z"}))
    assert [(line.words, line.run) for line in table.lines] == [
        (("w/o pre-training", "-"), "none"), (("SimCLR", "Ego-1M"), "simclr"), (("PeCLR", "Ego-1M"), "peclr"),
        (("SiMHand", "Ego-1M"), "simhand"),
    ]  # fmt: skip
    assert [(column.heading, column.labelled, column.percent) for column in table.columns] == [
        ("FreiHAND", "x", 100), ("AssemblyHands", "z", 100),
    ]  # fmt: skip
    assert table.lines[3].published == ((16.15, 89.48), (18.26, 86.95))
    assert table.note.startswith("What stands for the paper's: the labelled set x for FreiHAND, z for AssemblyHands;")
    assert table.note.endswith("; the pool all for Ego-1M.")
    assert len(table.cells()) == 8


def test_table_2_needs_the_run_of_each_pool_and_few_labels(configured: Configured) -> None:
    table = paper_table("table2", changed(configured, few_labels=20))
    assert [line.run for line in table.lines] == [
        "none", "simclr-half", "peclr-half", "simhand-half-unweighted", "simclr", "peclr", "simhand",
    ]  # fmt: skip
    assert table.cells()[1] == Cell("x", "simclr-half", 20)


def test_equal_figures_of_the_paper_stand_beside_equal_runs(configured: Configured) -> None:
    """31.06 mm on Ego-100K is without adaptive weighting in whatever table."""
    runs = {
        line.run
        for name, table in possible_tables(configured).items()
        for line in table.lines
        if name != "table1" and (31.06, 68.66) in line.published
    }
    assert runs == {"simhand-half-unweighted"}
    assert "without adaptive weighting" in paper_table("table2", configured).note


def test_tables_share_cells(configured: Configured) -> None:
    cells = {name: set(table.cells()) for name, table in possible_tables(configured).items()}
    assert set(cells) == set(PUBLISHED)
    halves = {"simclr-half", "peclr-half", "simhand-half-unweighted"}
    assert cells["table2"] & cells["table3"] == {Cell("x", run, 10) for run in halves}
    unweighted = {Cell("x", "simhand-half-unweighted", 10)}
    assert cells["table3"] & cells["table4"] == cells["table4"] & cells["table5"] == unweighted
    assert cells["table3"] & cells["table5"] == unweighted | {Cell("x", "simhand-half", 10)}
    ours = ("none", "simclr", "peclr", "simhand")
    assert cells["table1"] & cells["figure4"] == {Cell("x", run, 100) for run in ours}
    assert cells["table2"] & cells["figure4"] == {Cell("x", run, 10) for run in ours}


def test_a_rank_that_is_not_mined_is_an_error_of_table_4_alone(configured: Configured) -> None:
    assert paper_table("table4", changed(configured, ranks=(1, 100))).lines[1].published == ((31.54, 67.7),)
    wrong = changed(configured, ranks=(1, 6))
    with pytest.raises(ConfigError, match=r"(?s)table4 needs.*rank 6.*add 6 to pools\.half\.further_ranks"):
        paper_table("table4", wrong)
    assert set(possible_tables(wrong)) == set(PUBLISHED) - {"table4"}


@pytest.mark.parametrize(("settings", "possible", "words"), [
    ({"pools": {"Exo-1M": "all"}}, {"table1"}, "table5 needs a method and a pool.*pools: Ego-100K.*pools: Exo-1M"),
    ({"pools": {"Ego-1M": "all"}}, {"table1", "table2", "figure4"}, "table5 needs a method and a pool"),
    ({"methods": {"PeCLR": "peclr"}}, {"table1", "table2", "table3", "figure4"}, "table5.*methods: SiMHand"),
    ({"labelled": {"DexYCB": "y"}}, {"table1"}, "table5 needs a labelled set.*FreiHAND.*DexYCB"),
])  # fmt: skip
def test_a_table_of_which_nothing_is_configured(
    configured: Configured, settings: dict[str, Any], possible: set[str], words: str
) -> None:
    configured = changed(configured, **settings)
    assert set(possible_tables(configured)) == possible
    with pytest.raises(ConfigError, match=f"(?s){words}"):
        paper_table("table5", configured)


def test_without_the_block_there_is_no_table() -> None:
    assert possible_tables(None) == {}
    with pytest.raises(ConfigError, match=r"(?s)table1 is one of the paper's tables.*experiment\.paper"):
        paper_table("table1", None)


def test_why_a_table_cannot_be_made_is_told_where_something_stands_for_its_parts(configured: Configured) -> None:
    runs = {**configured.runs, "simhand": configured.runs["simhand"].model_copy(update={"neighbour_rank": 6})}
    table, reason = table_or_reason("table1", configured._replace(runs=runs))
    assert table is None
    assert reason.startswith("table1 needs a neighbour that is not mined\n")
    assert "add 6 to pools.all.further_ranks" in reason
    assert table_or_reason("table1", configured) == (paper_table("table1", configured), "")
    for silent in (None, changed(configured, pools={"Ego-50K": "all"})):
        assert table_or_reason("table1", silent) == (None, "")
    assert table_or_reason("table5", changed(configured, labelled={"DexYCB": "y"})) == (None, "")


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_table_as_plain_values_is_the_same_table(configured: Configured, name: str) -> None:
    table = paper_table(name, configured)
    assert PaperTable(**table.values()) == table
    assert set(table.runs()) == {cell.run for cell in table.cells()}
