"""Where results come from, as the report tells it."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from platform import python_version

import pytest

from simhand.errors import TableError
from simhand.reporting.fingerprints import content_fingerprint
from simhand.reporting.inputs import Result, Run
from simhand.reporting.provenance import configuration_html, results_provenance, runs_provenance, versions_grid
from tests.reporting.conftest import write_predictions


def test_versions_of_what_is_installed() -> None:
    rows = dict(versions_grid().rows)
    assert rows["Python"] == python_version()
    assert rows["numpy"] == version("numpy")
    assert "simhand" in rows


def test_what_runs_say_of_themselves(pretraining: dict[str, Run]) -> None:
    grid = runs_provenance(pretraining)
    card = json.loads(pretraining["simhand"].card.read_text())
    assert grid.rows[1] == (
        "simhand",
        "0",
        "random",
        "d1935",
        "c0de",
        card["code"]["torch"],
        card["training"]["device"],
    )
    assert len(grid.rows) == 2
    pretraining["simclr"].card.write_text("{}")
    with pytest.raises(TableError, match="cannot read the card of a run"):
        runs_provenance(pretraining)


def test_each_model_has_a_fingerprint_of_its_predictions(make_result: Callable[..., Result]) -> None:
    results = [make_result("none", 3, 20.0, 0.5), make_result("simhand", 4, 18.0, 0.5, percent=10)]
    write_predictions(results[1].predictions, [1.0])
    expected = [content_fingerprint(each.predictions) for each in results]
    assert expected[0] != expected[1]
    assert results_provenance(results).rows == [
        ("hands", "100 %", "without pre-training", "3", expected[0]),
        ("hands", "10 %", "simhand", "4", expected[1]),
    ]
    results[0].predictions.unlink()
    with pytest.raises(TableError, match="cannot read a result"):
        results_provenance(results)


def test_the_configuration_is_shown_as_yaml_in_its_order() -> None:
    html = configuration_html({"runs": ["none", "<b>"], "pools": {"all": {"title": "é"}}})
    assert "<pre>runs: [none, &lt;b&gt;]\npools:\n  all: {title: é}\n</pre>" in html
