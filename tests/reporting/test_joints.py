"""Errors joint by joint."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from matplotlib.figure import Figure

from simhand.errors import TableError
from simhand.joints import JOINTS
from simhand.reporting.inputs import Result
from simhand.reporting.joints import joint_figure, joint_table, shown_runs

MakeResult = Callable[..., Result]


def by_joint(results: list[Result], run: str) -> dict[str, float]:
    table = joint_table(results)
    own = table[table["run"] == run]
    return dict(zip(own["joint"], own["mpjpe_mm"], strict=True))


def test_the_error_of_each_joint_is_a_mean_over_seeds(make_result: MakeResult) -> None:
    errors_mm = by_joint([make_result("simhand", 0, 19.0, 0.5), make_result("simhand", 1, 38.0, 0.5)], "simhand")
    assert list(errors_mm) == list(JOINTS)
    assert list(errors_mm.values()) == [0.0, *[28.5] * 20]


def write_joints(result: Result, errors_mm: dict[str, float | None]) -> None:
    metrics = json.loads(result.metrics.read_text())
    for joint, error_mm in errors_mm.items():
        metrics["per_joint_mm"][JOINTS.index(joint)] = error_mm
    result.metrics.write_text(json.dumps(metrics))


def test_a_joint_that_no_image_judges_has_no_error(make_result: MakeResult) -> None:
    results = [make_result("simhand", seed, 20.0, 0.5) for seed in (0, 1)]
    write_joints(results[0], {"little_tip": None, "index_tip": None, "thumb_tip": 30.0})
    write_joints(results[1], {"little_tip": None})
    table = joint_table(results).set_index("joint")
    assert "little_tip" not in table.index
    assert (table.loc["index_tip", "mpjpe_mm"], table.loc["index_tip", "seeds"]) == (20.0, 1)
    assert (table.loc["thumb_tip", "mpjpe_mm"], table.loc["thumb_tip", "seeds"]) == (25.0, 2)


@pytest.mark.parametrize("errors_mm", [None, [20.0] * 20, ["far", *[20.0] * 20]])
def test_metrics_without_joints_are_refused(make_result: MakeResult, errors_mm: list[float] | None) -> None:
    result = make_result("simhand", 0, 20.0, 0.5)
    metrics = json.loads(result.metrics.read_text())
    result.metrics.write_text(json.dumps(metrics | {"per_joint_mm": errors_mm}))
    with pytest.raises(TableError, match=r"without 21 joints|wrist is missing or not a number"):
        joint_table([result])


def test_the_largest_share_of_each_sets_labels_counts(make_result: MakeResult) -> None:
    results = [
        make_result("none", 0, error_mm, 0.5, percent=percent) for percent, error_mm in ((10, 40.0), (100, 20.0))
    ]
    results.append(make_result("none", 0, 60.0, 0.5, labelled="few", percent=10))
    table = joint_table(results)
    assert table.groupby("labelled")["percent"].unique().map(list).to_dict() == {"few": [10], "hands": [100]}


def test_the_best_pretraining_stands_beside_none(make_result: MakeResult) -> None:
    results = [make_result(run, 0, error_mm, 0.5) for run, error_mm in (("a", 20.0), ("none", 19.0), ("b", 18.0))]
    assert shown_runs(joint_table(results)) == ["none", "b"]
    assert shown_runs(joint_table(results[:1])) == ["a"]
    assert shown_runs(joint_table(results[1:2])) == ["none"]


def test_numbers_stand_on_the_joints(tmp_path: Path, drawn: list[Figure], make_result: MakeResult) -> None:
    results = [make_result("none", 0, 19.0, 0.5), make_result("$a_$", 0, 38.0, 0.5)]
    results += [replace(make_result("none", 0, 190.0, 0.5, labelled="others"), percent=10)]
    joint_figure(joint_table(results), tmp_path / "joints.png")
    (figure,) = drawn
    hands = [axes for axes in figure.axes if axes.texts]
    titles = [
        "hands: without pre-training",
        "hands: $a_$",
        "with minus without pre-training",
        "others: without pre-training",
    ]
    assert [axes.get_title() for axes in hands] == titles
    texts = [[text.get_text() for text in axes.texts] for axes in hands]
    assert texts == [["0", *[number] * 20] for number in ("19.0", "38.0", "+19.0", "190")]
    image = cv2.imread(str(tmp_path / "joints.png"))
    assert image is not None
    assert image.shape[1] == 1200
