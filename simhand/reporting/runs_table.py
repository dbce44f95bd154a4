"""The table of pre-training runs: what each learnt from, how far its loss fell, and how fast it went."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from simhand.reporting.grid import Grid
from simhand.reporting.inputs import Run
from simhand.reporting.records import read_curve
from simhand.reporting.run_cards import read_card

_COLUMNS = {  # and what stands above them on the page, where there is no room for all
    "run": "run",
    "method": "method",
    "weighting": "weighting",
    "encoder": None,
    "pool": "pool",
    "hands": "hands",
    "epochs": None,
    "steps": "steps",
    "pairs_per_step": "pairs a step",
    "final_loss": "final loss",
    "chance": "of guessing",
    "images_per_s": "images/s",
    "data_wait_fraction": "waiting",
}
_WORDS = 4  # so many of the first columns on the page are no numbers


def runs_table(runs: Mapping[str, Run]) -> pd.DataFrame:
    """One row a run, in their order.

    Returns:
        columns run, method, weighting, encoder, pool, hands, epochs, steps, pairs_per_step, final_loss (mean over the
        last epoch), chance (the loss of guessing; empty for weighted losses), images_per_s and data_wait_fraction (the
        share of the time that training waited for crops), both over the whole run.

    Raises:
        TableError: a card or metrics are missing or damaged.
    """
    return pd.DataFrame([_row(name, run) for name, run in runs.items()], columns=list(_COLUMNS))


def _row(name: str, run: Run) -> dict[str, object]:
    card = read_card(run.card)
    return {"run": name, **vars(card), "chance": card.chance, **_speed(run)}


def _speed(run: Run) -> dict[str, float]:
    """Over the whole run: lines stand for equally many images, so that each took time as 1 / rate."""
    curve = read_curve(run.metrics, ["images_per_s", "data_wait_fraction"])
    durations = 1 / curve["images_per_s"]
    return {
        "images_per_s": float(1 / durations.mean()),
        "data_wait_fraction": float(np.average(curve["data_wait_fraction"], weights=durations)),
    }


def runs_grid(table: pd.DataFrame) -> Grid:
    """The table of runs for reading."""
    shown = {
        **dict.fromkeys(("hands", "steps", "pairs_per_step"), "{:,}".format),
        **{"final_loss": "{:.3f}".format, "chance": "{:.3f}".format},
        **{"images_per_s": "{:,.0f}".format, "data_wait_fraction": lambda share: f"{100 * share:.0f} %"},
    }
    headings = {name: heading for name, heading in _COLUMNS.items() if heading}
    columns = [["" if pd.isna(value) else shown.get(name, str)(value) for value in table[name]] for name in headings]
    rows = list(zip(*columns, strict=True))
    return Grid(list(headings.values()), rows, frozenset(range(_WORDS, len(headings))))
