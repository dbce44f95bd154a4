"""The table of pre-training runs."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from simhand.errors import TableError
from simhand.reporting.inputs import Run
from simhand.reporting.run_cards import read_card
from simhand.reporting.runs_table import runs_grid, runs_table


def test_each_run_has_a_row_of_what_it_was_and_how_fast(pretraining: dict[str, Run]) -> None:
    run = pretraining["simclr"]
    lines = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    for line, rate, waiting in zip(lines, (100.0, 100.0, 25.0, 100.0), (0.0, 0.0, 0.7, 0.0), strict=True):
        line |= {"images_per_s": rate, "data_wait_fraction": waiting}
    run.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))

    first, second = runs_table(pretraining).to_dict("records")
    numbers = {name: first.pop(name) for name in ("chance", "images_per_s", "data_wait_fraction")}
    assert first == {
        **{"run": "simclr", "method": "simclr", "weighting": "none", "encoder": "resnet50", "pool": "all"},
        **{"hands": 5, "epochs": 2, "steps": 4, "pairs_per_step": 2, "final_loss": 1.5},  # of 2 and 1
    }
    assert numbers["chance"] == pytest.approx(math.log(3))
    assert numbers["images_per_s"] == pytest.approx(400 / 7)  # 400 images in 1, 1, 4 and 1 s
    assert numbers["data_wait_fraction"] == pytest.approx(0.4)  # 2.8 s of 7
    assert second["weighting"] == "linear"
    assert math.isnan(second["chance"])


def test_the_table_on_the_page(pretraining: dict[str, Run]) -> None:
    grid = runs_grid(runs_table(pretraining))
    header = ["run", "method", "weighting", "pool", "hands", "steps", "pairs a step", "final loss", "of guessing"]
    assert grid.header == [*header, "images/s", "waiting"]
    assert grid.rows[0] == ("simclr", "simclr", "none", "all", "5", "4", "2", "1.500", "1.099", "50", "25 %")
    assert grid.rows[1][8] == ""
    assert grid.numbers == frozenset(range(4, 11))


@pytest.mark.parametrize("content", [None, "{", "[1]", "{}", '{"training": {}, "data": {}}'])
def test_a_damaged_card_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "card.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(TableError, match=r"cannot read the card(.|\n)*card\.json"):
        read_card(path)
