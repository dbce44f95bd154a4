"""The pre-training runs that the paper's tables need: a method's run on another pool, with other weights or rank.

A derived run whose settings come to the same as those of a named run is that run. Any other gets a name that tells what
is different: simhand-demo-half-rank_5, simhand-demo-half-sigmoid_2p5_0p01-original.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simhand.errors import ConfigError
from simhand.paper.published import PUBLISHED, PublishedLine
from simhand.paper.settings import PaperSettings
from simhand.pretraining.settings import EXECUTION, PretrainingSettings

Runs = Mapping[str, PretrainingSettings]
_WEIGHTS = ("sigmoid_lambda", "weighted_pairs", "weighted_keypoints", "weight_distance")


def all_runs(named: Runs, paper: PaperSettings | None) -> dict[str, PretrainingSettings]:
    """The named runs, then those that the paper's tables need besides.

    Raises:
        ConfigError: two different runs would have one name.
    """
    runs = dict(named)
    if paper is None:
        return runs
    for line in _derived_lines(paper):
        name, run = derived_run(line, named, paper)
        if essence(runs.setdefault(name, run)) != essence(run):
            raise ConfigError(
                f"experiment.paper needs a run of the name {name}, which is another run's",
                expected="names of runs and pools from which no two runs get one name",
                hint=f"rename pretraining.{name}" if name in named else "rename one of the pools",
            )
    return runs


def _derived_lines(paper: PaperSettings) -> Iterator[PublishedLine]:
    lines = (line for table in PUBLISHED.values() for line in table(paper).lines)
    return (line for line in lines if line.method in paper.methods and line.pool in paper.pools)


def derived_run(line: PublishedLine, named: Runs, paper: PaperSettings) -> tuple[str, PretrainingSettings]:
    """The run of a line whose method and pool are configured, and its name."""
    base = paper.methods[str(line.method)]
    changes = {**line.changes, "pool": paper.pools[str(line.pool)]}
    run = PretrainingSettings.model_validate(named[base].model_dump() | changes)
    same = [base, *named]  # the method's own run before others that are like it
    twin = next((name for name in same if essence(named[name]) == essence(run)), None)
    return twin or "-".join([base, *_differences(named[base], run)]), run


def essence(run: PretrainingSettings) -> dict[str, Any]:
    """The settings on which a run's encoder depends, those that its method or weighting does not read left out."""
    unread = set(EXECUTION)
    if run.method != "simhand":
        unread.add("neighbour_rank")
    if run.method != "tempclr":
        unread.add("max_gap_s")
    if run.weighting == "none":
        unread.update(_WEIGHTS)
    elif run.weighting == "linear":
        unread.add("sigmoid_lambda")
    return run.model_dump(exclude=unread)


def _differences(base: PretrainingSettings, run: PretrainingSettings) -> Iterator[str]:
    """A word for each setting by which a derived run differs."""
    if run.pool != base.pool:
        yield run.pool
    if run.weighting == "sigmoid":
        yield "_".join(["sigmoid", *(f"{slope:g}".replace(".", "p") for slope in run.sigmoid_lambda)])
        yield run.weighted_keypoints
    elif run.weighting != base.weighting:
        yield {"none": "unweighted", "linear": "weighted"}[run.weighting]
    if run.weighting == "linear" and run.weighted_keypoints != base.weighted_keypoints:
        yield run.weighted_keypoints
    if run.method == "simhand" and run.neighbour_rank != base.neighbour_rank:
        yield f"rank_{run.neighbour_rank}"
