"""From predictions to metrics.json."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from simhand.errors import TableError
from simhand.evaluation.__main__ import main
from simhand.evaluation.evaluate import evaluate, hand_metrics, mean_pose
from simhand.files import keypoints_column, write_parquet
from simhand.tables import PREDICTIONS


def write_predictions(predicted_mm: np.ndarray, true_mm: np.ndarray, path: Path) -> None:
    names = [f"{row}.jpg" for row in range(len(true_mm))]
    columns = [pa.array(names, pa.string()), keypoints_column(predicted_mm), keypoints_column(true_mm)]
    write_parquet(pa.table(columns, names=PREDICTIONS.names), path, PREDICTIONS)


def some_hands(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal((0, 0, 600), 40.0, size=(count, 21, 3))


def test_a_known_error_is_found(tmp_path: Path) -> None:
    true_mm = some_hands(6, seed=0)
    predicted_mm = true_mm.copy()
    predicted_mm[:, 4, 0] += 21.0  # one joint of 21, off by 21 mm; wrist and bone length stay
    write_predictions(predicted_mm, true_mm, tmp_path / "predictions.parquet")
    evaluate(tmp_path / "predictions.parquet", tmp_path / "metrics.json")
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["n_images"] == 6
    assert metrics["mpjpe_mm"] == pytest.approx(1.0, abs=1e-4)
    expected = np.zeros(21)
    expected[4] = 21.0
    np.testing.assert_allclose(metrics["per_joint_mm"], expected, atol=1e-3)
    # thresholds 20, 22.14, ...: joint 4 is wrong at the first and right at the others
    joint_4 = 1 - 0.5 / 14
    assert metrics["pck_auc_20_50"] == pytest.approx((20 + joint_4) / 21)
    assert 1.0 < metrics["pa_mpjpe_mm"] < 3.0  # least squares spreads the error over all joints


def test_true_hands_moved_and_scaled_have_no_error() -> None:
    true_mm = some_hands(4, seed=1)
    metrics = hand_metrics(true_mm * 3 + 100, true_mm)
    assert metrics["mpjpe_mm"] == pytest.approx(0, abs=1e-9)
    assert metrics["pa_mpjpe_mm"] == pytest.approx(0, abs=1e-9)
    assert metrics["pck_auc_20_50"] == 1.0
    assert metrics["mean_pose_mpjpe_mm"] > 10


def test_the_mean_pose_by_hand() -> None:
    true_mm = np.zeros((2, 21, 3))
    true_mm[0, 9], true_mm[1, 9] = (0, 10, 0), (0, 0, 20)
    true_mm[0, 4], true_mm[1, 4] = (10, 0, 0), (-20, 0, 40)
    # of unit size joint 9 is at (0, .5, .5) in the mean, joint 4 at (0, 0, 1)
    found = mean_pose(true_mm + 7.0)
    np.testing.assert_allclose(found[:, 0], 7.0)
    np.testing.assert_allclose(found[0, 4] - 7, (0, 0, 10 * np.sqrt(2)))
    np.testing.assert_allclose(found[1, 9] - 7, (0, 20 * np.sqrt(0.5), 20 * np.sqrt(0.5)))


def test_the_same_predictions_give_the_same_bytes(tmp_path: Path) -> None:
    write_predictions(some_hands(3, 0), some_hands(3, 1), tmp_path / "predictions.parquet")
    for name in ("first.json", "second.json"):
        main(["--predictions", str(tmp_path / "predictions.parquet"), "--metrics", str(tmp_path / name)])
    assert (tmp_path / "first.json").read_bytes() == (tmp_path / "second.json").read_bytes()


@pytest.mark.parametrize(("rows", "value", "said"), [(0, 0.0, "no predictions"), (2, np.nan, "not finite")])
def test_what_cannot_be_judged_is_refused(tmp_path: Path, rows: int, value: float, said: str) -> None:
    hands = some_hands(rows, seed=0)
    write_predictions(hands + value, hands, tmp_path / "predictions.parquet")
    with pytest.raises(TableError, match=said):
        evaluate(tmp_path / "predictions.parquet", tmp_path / "metrics.json")
    assert not (tmp_path / "metrics.json").exists()


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"predictions\.parquet"):
        evaluate(tmp_path / "predictions.parquet", tmp_path / "metrics.json")
