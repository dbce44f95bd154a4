"""Where the results come from: the configuration, the versions, what was trained on what by which code, and seeds."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from html import escape
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import yaml

from simhand.errors import TableError
from simhand.reporting.fingerprints import content_fingerprint
from simhand.reporting.grid import Grid
from simhand.reporting.inputs import Result, Run
from simhand.reporting.table import run_label

_PACKAGES = (
    "simhand", "snakemake", "numpy", "pyarrow", "pandas", "matplotlib", "opencv-contrib-python", "av", "mediapipe",
    "scikit-learn", "numba", "torch", "torchvision",
)  # fmt: skip
_DIGITS = 16  # of a longer fingerprint


def versions_grid() -> Grid:
    """The versions in this environment; what is not installed in it has no row."""
    found = {name: _version(name) for name in _PACKAGES}
    rows = [("Python", platform.python_version()), *((name, text) for name, text in found.items() if text)]
    return Grid(("program", "version here"), rows)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "from a checkout, not installed" if name == "simhand" else ""


def runs_provenance(runs: Mapping[str, Run]) -> Grid:
    """What each pre-training run says of itself in its card.

    Raises:
        TableError: a card is missing or damaged.
    """
    header = ("pre-training", "seed", "started from", "data", "code", "torch", "device")
    return Grid(header, [(name, *_card_cells(run)) for name, run in runs.items()], frozenset({1}))


def _card_cells(run: Run) -> tuple[str, ...]:
    try:
        card = json.loads(run.card.read_text(encoding="utf-8"))
        cells = (card["seed"], card["initial"]["named"], card["data"]["digest"], card["code"]["fingerprint"])
        further = card["code"]["torch"], card["training"]["device"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "delete the file and start the workflow again: the run will be made anew"
        raise TableError("cannot read the card of a run", where=run.card, got=repr(error), hint=hint) from error
    seed, initial, data, code = map(str, cells)
    return (seed, initial, data[:_DIGITS], code, *map(str, further))


def results_provenance(results: Sequence[Result]) -> Grid:
    """Each fine-tuned model with its seed, and a fingerprint of its predictions.

    Raises:
        TableError: a table of predictions is missing.
    """
    rows = [
        (each.labelled, f"{each.percent} %", run_label(each.run), str(each.seed), content_fingerprint(each.predictions))
        for each in results
    ]
    return Grid(("labelled set", "labels", "pre-training", "seed", "predictions"), rows, frozenset({1, 3}))


def configuration_html(config: Mapping[str, Any]) -> str:
    """The configuration as YAML, folded away."""
    plain = json.loads(json.dumps(config))
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)
    return f"<details><summary>The configuration</summary><pre>{escape(text)}</pre></details>\n"
