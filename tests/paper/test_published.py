"""The paper's figures, against what it says about them in words."""

from __future__ import annotations

import pytest

from simhand.paper.published import PUBLISHED, PublishedTable
from simhand.paper.settings import LABELLED, METHODS, POOLS, PaperSettings
from simhand.pretraining.settings import PretrainingSettings

SETTINGS = PaperSettings(methods={"SiMHand": "simhand"}, pools={"Ego-1M": "all"}, labelled={"FreiHAND": "x"})
TABLES: dict[str, PublishedTable] = {name: make(SETTINGS) for name, make in PUBLISHED.items()}

PRINTED = {  # all cells, line by line, taken from its text once more
    "table1": """
        19.21 85.61 19.36 84.80 19.17 85.61
        19.30 85.36 20.13 83.75 20.01 84.21
        19.36 85.09 20.22 83.50 20.32 83.85
        20.07 84.32 21.09 82.25 21.24 82.29
        19.58 84.71 18.39 86.33 19.12 85.64
        19.07 85.62 18.99 85.40 19.20 85.57
        18.19 86.76 18.06 86.82 18.88 86.03
        16.73 88.66 17.34 87.84 18.50 86.56
        16.15 89.48 16.99 88.34 18.26 86.95
        15.79 90.04 16.71 88.86 18.23 86.90
    """,
    "table2": """
        48.19 49.17
        53.94 42.54
        47.42 49.85
        35.32 63.35
        53.49 43.12
        46.00 51.50
        31.06 68.66
        49.91 47.61
        43.18 54.15
        28.27 72.97
        46.17 50.62
        34.42 64.93
        23.68 79.62
    """,
    "table3": """
        53.49 43.12
        52.58 44.70
        46.00 51.50
        44.61 53.37
        31.06 68.66
        28.84 71.07
    """,
    "table4": """
        31.06 68.66
        31.46 67.89
        31.85 67.20
        31.87 67.18
        31.53 67.59
        31.54 67.70
        32.61 66.76
        34.05 65.14
        35.34 62.79
    """,
    "table5": """
        31.06 68.66
        33.08 65.81
        31.39 68.27
        31.90 67.83
        30.90 68.69
        32.03 67.68
        31.28 68.05
        30.20 69.61
        28.84 71.07
    """,
}


def errors(table: str, *words: str, column: str = "FreiHAND*") -> tuple[float, float]:
    (line,) = [line for line in TABLES[table].lines if line.words == words]
    return line.errors[column]


@pytest.mark.parametrize(("name", "table"), TABLES.items(), ids=list(TABLES))
def test_lines_name_what_can_be_configured(name: str, table: PublishedTable) -> None:
    words = [line.words for line in table.lines]
    assert len(set(words)) == len(words)
    assert {labelled for labelled, _ in table.columns.values()} <= set(LABELLED)
    for line in table.lines:
        assert len(line.words) == len(table.headings)
        assert (line.method is None) == (line.pool is None)
        assert line.method is None or line.method in METHODS
        assert line.pool is None or line.pool in POOLS
        assert set(line.changes) <= set(PretrainingSettings.model_fields)
        assert set(line.errors) == (set() if name == "figure4" else set(table.columns))
        for mpjpe_mm, auc in line.errors.values():
            assert 15 < mpjpe_mm < 60 < 60 + auc < 160


def test_as_many_lines_as_the_paper_has() -> None:
    assert {name: len(table.lines) for name, table in TABLES.items()} == {
        "table1": 10, "table2": 13, "table3": 6, "table4": 9, "table5": 9, "figure4": 5,
    }  # fmt: skip


@pytest.mark.parametrize("name", PRINTED)
def test_each_figure_is_the_one_that_the_paper_prints(name: str) -> None:
    table = TABLES[name]
    printed = [[float(figure) for figure in line.split()] for line in PRINTED[name].strip().splitlines()]
    ours = [[figure for column in table.columns for figure in line.errors[column]] for line in table.lines]
    assert ours == printed


def test_gains_are_those_that_the_text_states() -> None:
    """In percent of the other's MPJPE (paper: sections 4.2 and 4.3)."""

    def gain(of: tuple[float, float], over: tuple[float, float]) -> float:
        return 100 * (1 - of[0] / over[0])

    def sets(method: str, pool: str) -> list[tuple[float, float]]:
        return [errors("table1", method, pool, column=name) for name in LABELLED]

    ours, peclr = sets("SiMHand", "Ego-1M"), sets("PeCLR", "Ego-1M")
    assert [gain(*pair) for pair in zip(ours, peclr, strict=True)] == pytest.approx([15.31, 10.53, 4.90], abs=0.01)
    both, peclr_both = sets("SiMHand", "Ego&Exo-2M"), sets("PeCLR", "Ego&Exo-2M")
    assert [gain(*pair) for pair in zip(both, peclr_both, strict=True)] == pytest.approx([13.19, 7.4, 3.4], abs=0.08)
    assert gain(both[0], sets("w/o pre-training", "-")[0]) == pytest.approx(17.7, abs=0.15)
    weighted, plain = (errors("table3", "SiMHand", "yes", word) for word in ("yes", "no"))
    assert gain(weighted, plain) == pytest.approx(7.18, abs=0.05)
    assert weighted[1] - plain[1] == pytest.approx(2.41)
    assert -gain(errors("table4", "Top-5,000"), errors("table4", "Top-1")) == pytest.approx(13.78, abs=0.01)


def test_what_stands_in_two_tables_is_the_same() -> None:
    assert errors("table2", "SiMHand", "Ego-100K") == errors("table4", "Top-1") == errors("table5", "-", "-", "-")
    assert errors("table3", "SiMHand", "yes", "yes") == errors("table5", "linear", "augmented", "-")
    for method in ("SimCLR", "PeCLR"):
        assert errors("table2", method, "Ego-100K") == errors("table3", method, "no", "no")


def test_ranks_and_shares_are_the_users() -> None:
    mine = SETTINGS.model_copy(update={"ranks": (3, 10), "label_percents": (5, 50), "few_labels": 20})
    lines = PUBLISHED["table4"](mine).lines
    assert [(line.words, line.errors) for line in lines] == [
        (("Top-3",), {}), (("Top-10",), {"FreiHAND*": (31.87, 67.18)}),
    ]  # fmt: skip
    assert PUBLISHED["table4"](mine).columns == {"FreiHAND*": ("FreiHAND", 20)}
    assert PUBLISHED["figure4"](mine).columns == {"5 %": ("FreiHAND", 5), "50 %": ("FreiHAND", 50)}
