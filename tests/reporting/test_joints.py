"""Errors joint by joint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from matplotlib.figure import Figure

from simhand.files import write_parquet
from simhand.joints import JOINTS
from simhand.reporting.inputs import Result
from simhand.reporting.joints import joint_figure, joint_table, shown_runs
from simhand.tables import PREDICTIONS
from tests.reporting.conftest import write_predictions

MakeResult = Callable[..., Result]


def by_joint(results: list[Result], run: str) -> dict[str, float]:
    table = joint_table(results)
    own = table[table["run"] == run]
    return dict(zip(own["joint"], own["mpjpe_mm"], strict=True))


def test_the_mean_of_each_joint_over_images_and_seeds(make_result: MakeResult) -> None:
    """All joints but the two that hands are aligned by are equally far off: by 21 / 19 of the MPJPE."""
    results = [make_result("simhand", 0, 19.0, 0.5), make_result("simhand", 1, 38.0, 0.5)]
    write_predictions(results[0].predictions, [9.5, 28.5])
    errors_mm = by_joint(results, "simhand")
    assert list(errors_mm) == list(JOINTS)
    expected = [0.0 if joint in ("wrist", "middle_base") else 31.5 for joint in JOINTS]
    assert list(errors_mm.values()) == pytest.approx(expected, abs=1e-4)
    table = joint_table(results)
    assert set(table["seeds"]) == {2}
    assert set(table["images"]) == {2}


def test_a_joint_counts_where_it_is_judged(make_result: MakeResult) -> None:
    result = make_result("simhand", 0, 19.0, 0.5)
    write_predictions(result.predictions, [19.0, 38.0])
    table = pq.read_table(result.predictions)
    seen = np.ones((2, 21), bool)
    seen[1, 4] = seen[0, 8] = False
    seen[:, 20] = False
    column = pa.array(seen.tolist(), PREDICTIONS.field("seen").type)
    table = table.set_column(table.column_names.index("seen"), PREDICTIONS.field("seen"), column)
    write_parquet(table, result.predictions, PREDICTIONS)
    errors_mm = by_joint([result], "simhand")
    assert (errors_mm["thumb_tip"], errors_mm["index_tip"]) == pytest.approx((21.0, 42.0), abs=1e-4)
    assert errors_mm["index_upper"] == pytest.approx(31.5, abs=1e-4)
    assert "little_tip" not in errors_mm
    counts = joint_table([result]).set_index("joint")["images"]
    assert (counts["thumb_tip"], counts["index_upper"]) == (1, 2)


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
    titles = ["hands: without pre-training", "hands: $a_$", "with less without", "others: without pre-training"]
    assert [axes.get_title() for axes in hands] == titles
    texts = [[text.get_text() for text in axes.texts] for axes in hands]
    numbers = ["21.0", "42.0", "+21.0", "210"]
    assert texts == [["0" if joint in (0, 9) else number for joint in range(21)] for number in numbers]
    image = cv2.imread(str(tmp_path / "joints.png"))
    assert image is not None
    assert image.shape[1] == 1200
