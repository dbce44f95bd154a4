"""Which runs the paper's tables need, by hand."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simhand.config import Name
from simhand.errors import ConfigError
from simhand.paper.derived_runs import all_runs, derived_run, essence
from simhand.paper.planning import Configured
from simhand.paper.published import PublishedLine
from simhand.paper.settings import PaperSettings
from simhand.pretraining.settings import PretrainingSettings
from tests.paper.conftest import run


def test_all_runs_of_all_tables(configured: Configured) -> None:
    named, derived = configured.runs, all_runs(configured.runs, configured.paper)
    assert {name: derived[name] for name in named} == named
    assert sorted(set(derived) - set(named)) == sorted([
        "simclr-half", "peclr-half", "simhand-half",  # Table 2
        "simclr-half-weighted", "peclr-half-weighted", "simhand-half-unweighted",  # Table 3
        "simhand-half-unweighted-rank_2", "simhand-half-unweighted-rank_5",  # Table 4
        *(f"simhand-half-sigmoid_{slopes}-{keypoints}"
          for slopes in ("5_0p05", "2p5_0p01", "1_0p005") for keypoints in ("original", "augmented")),
        "simhand-half-original",  # Table 5
    ])  # fmt: skip
    assert derived["peclr-half-weighted"] == run("peclr", pool="half", epochs=30, weighting="linear")
    assert derived["simhand-half-unweighted-rank_5"] == run("simhand", pool="half", weighting="none", neighbour_rank=5)
    assert derived["simhand-half-sigmoid_2p5_0p01-original"] == run(
        "simhand", pool="half", weighting="sigmoid", sigmoid_lambda=(2.5, 0.01), weighted_keypoints="original"
    )


def test_without_a_paper_there_are_the_named_runs(configured: Configured) -> None:
    assert all_runs(configured.runs, None) == configured.runs


def test_a_run_that_is_named_is_not_derived_again(configured: Configured) -> None:
    """Whatever of its settings is not read, and however it is executed."""
    twins = {
        "plain": run("simhand", pool="half", sigmoid_lambda=(9.0, 9.0), weighted_keypoints="original", workers=3),
        "bent": run("simhand", pool="half", weighting="sigmoid", sigmoid_lambda=(1.0, 0.005), device="cpu"),
        "half": run("simclr", pool="half", neighbour_rank=7, max_gap_s=1.0),
        "other": run("simhand", pool="half", seed=1),
    }
    found = all_runs({**configured.runs, **twins}, configured.paper)
    missing = {"simhand-half-unweighted", "simhand-half-sigmoid_1_0p005-augmented", "simclr-half"}
    assert set(all_runs(configured.runs, configured.paper)) - set(found) == missing
    line = PublishedLine(("-",), "SiMHand", "Ego-100K", {}, {"weighting": "none"})
    assert derived_run(line, {**configured.runs, **twins}, configured.paper)[0] == "plain"


def test_the_methods_own_run_is_taken_before_one_that_is_like_it(configured: Configured) -> None:
    runs = {"copy": run("simclr"), **configured.runs}
    assert derived_run(PublishedLine(("-",), "SimCLR", "Ego-1M"), runs, configured.paper)[0] == "simclr"


@pytest.mark.parametrize(("ours", "theirs"), [
    ({"weighting": "linear", "sigmoid_lambda": (1.0, 1.0)}, {"weighting": "linear"}),
    ({"weighted_pairs": "positives"}, {}),
    ({"checkpoint_every_steps": 7, "workers": 2, "compile": True}, {}),
    ({"max_gap_s": 3.0}, {}),
])  # fmt: skip
def test_settings_that_are_not_read_make_no_other_encoder(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert essence(run("simhand", **ours)) == essence(run("simhand", **theirs))


@pytest.mark.parametrize("more", [
    {"neighbour_rank": 2}, {"weighting": "linear", "weighted_keypoints": "original"}, {"seed": 1}, {"pool": "b"},
    {"weighting": "sigmoid", "sigmoid_lambda": (1.0, 1.0)}, {"processes": 2}, {"initial": "imagenet"},
])  # fmt: skip
def test_settings_that_are_read_do(more: dict[str, Any]) -> None:
    base = {"weighting": "sigmoid"} if more.get("weighting") == "sigmoid" else {}
    assert essence(run("simhand", **more)) != essence(run("simhand", **base))


def test_two_runs_of_one_name_are_refused(configured: Configured) -> None:
    named = {**configured.runs, "simhand-half": run("simhand", pool="half", epochs=7, warmup_epochs=0)}
    with pytest.raises(ConfigError, match=r"(?s)the name simhand-half, which is.*rename pretraining.simhand-half"):
        all_runs(named, configured.paper)
    pools = {"Ego-100K": "a", "Ego-1M": "a-unweighted"}
    paper = configured.paper.model_copy(update={"pools": pools})
    with pytest.raises(ConfigError, match=r"(?s)simhand-a-unweighted.*rename one of the pools"):
        all_runs(configured.runs, paper)


@given(
    st.builds(
        PretrainingSettings,
        method=st.just("simhand"),
        pool=st.sampled_from(["half", "all"]),
        weighting=st.sampled_from(["none", "linear", "sigmoid"]),
        weighted_keypoints=st.sampled_from(["original", "augmented"]),
        neighbour_rank=st.integers(1, 5),
    )
)
def test_each_derived_run_has_a_name_of_its_own_that_can_be_a_folder(base: PretrainingSettings) -> None:
    """Whatever the settings of the method's own run are."""
    paper = PaperSettings(
        methods={"SiMHand": "mine"}, pools={"Ego-100K": "half", "Ego-1M": "all"}, labelled={"FreiHAND": "x"}
    )
    runs = all_runs({"mine": base}, paper)
    essences = [tuple(essence(run).items()) for run in runs.values()]
    assert len({str(one) for one in essences}) == len(runs)
    (pattern,) = [part.pattern for part in Name.__metadata__]
    for name in runs:
        assert re.match(pattern, name)
