"""From predictions to metrics.json."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simhand.errors import TableError
from simhand.evaluation.__main__ import main
from simhand.evaluation.evaluate import (
    absolute_metrics,
    all_metrics,
    evaluate,
    hand_metrics,
    keypoint_metrics,
    mean_pose,
)
from simhand.evaluation.predictions import Predictions, aligned_errors, read_predictions
from simhand.joints import FINGERS
from tests.evaluation.made_up import some_hands, some_seen, write_predictions


def test_a_known_error_is_found(tmp_path: Path) -> None:
    true_mm = some_hands(6, seed=0)
    predicted_mm = true_mm.copy()
    predicted_mm[:, 4, 0] += 21.0  # one joint of 21, off by 21 mm; wrist and bone length stay
    mean_mm = true_mm.copy()
    mean_mm[:, 7, 1] -= 42.0
    path = write_predictions(tmp_path / "predictions.parquet", predicted_mm, true_mm, mean_mm=mean_mm)
    evaluate(path, tmp_path / "metrics.json")
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["mean_pose_mpjpe_mm"] == pytest.approx(2.0, abs=1e-4)
    assert metrics["n_images"] == 6
    assert metrics["n_joints"] == 126
    assert metrics["mpjpe_mm"] == pytest.approx(1.0, abs=1e-4)
    expected = np.zeros(21)
    expected[4] = 21.0
    np.testing.assert_allclose(metrics["per_joint_mm"], expected, atol=1e-3)
    assert metrics["per_finger_mm"]["thumb"] == pytest.approx(21 / 4, abs=1e-3)
    assert sorted(metrics["per_finger_mm"]) == sorted(FINGERS)
    # thresholds 20, 22.14, ...: joint 4 is wrong at the first and right at the others
    joint_4 = 1 - 0.5 / 14
    assert metrics["pck_auc_20_50"] == pytest.approx((20 + joint_4) / 21)
    np.testing.assert_allclose(metrics["pck_20_50"], [20 / 21] + [1] * 14)
    assert 1.0 < metrics["pa_mpjpe_mm"] < 3.0  # least squares spreads the error over all joints
    assert metrics["absolute"]["root_mpjpe_mm"] == pytest.approx(1.0, abs=1e-4)


def test_true_hands_moved_and_scaled_have_no_error() -> None:
    true_mm = some_hands(4, seed=1)
    metrics = hand_metrics(true_mm * 3 + 100, true_mm)
    assert metrics["mpjpe_mm"] == pytest.approx(0, abs=1e-9)
    assert metrics["pa_mpjpe_mm"] == pytest.approx(0, abs=1e-9)
    assert metrics["pck_auc_20_50"] == 1.0
    assert metrics["own_mean_pose_mpjpe_mm"] > 10


def test_a_mean_pose_is_judged_at_the_hands_place_and_size(tmp_path: Path) -> None:
    """The mean of unit hands that point different ways has a shorter bone than they."""
    true_mm = some_hands(3, 0)
    elsewhere = write_predictions(tmp_path / "predictions.parquet", true_mm, true_mm, mean_mm=true_mm * 0.5 + 30)
    metrics = all_metrics(read_predictions(elsewhere))
    assert metrics["mean_pose_mpjpe_mm"] == pytest.approx(0, abs=1e-4)


def test_the_mean_pose_by_hand() -> None:
    true_mm = np.zeros((2, 21, 3))
    true_mm[0, 9], true_mm[1, 9] = (0, 10, 0), (0, 0, 20)
    true_mm[0, 4], true_mm[1, 4] = (10, 0, 0), (-20, 0, 40)
    # of unit size joint 9 is at (0, .5, .5) in the mean, joint 4 at (0, 0, 1)
    found = mean_pose(true_mm + 7.0)
    np.testing.assert_allclose(found[:, 0], 7.0)
    np.testing.assert_allclose(found[0, 4] - 7, (0, 0, 10 * np.sqrt(2)))
    np.testing.assert_allclose(found[1, 9] - 7, (0, 20 * np.sqrt(0.5), 20 * np.sqrt(0.5)))
    seen = np.ones((2, 21), dtype=bool)
    seen[1, 4] = False  # joint 4 is then at (1, 0, 0)
    true_mm[1, 4] = np.nan
    np.testing.assert_allclose(mean_pose(true_mm, seen)[0, 4], (10 * np.sqrt(2), 0, 0))


@given(st.integers(0, 1000))
def test_what_is_not_seen_has_no_influence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true_mm, predicted_mm, seen = some_hands(5, seed), some_hands(5, seed + 1), some_seen(5, seed)
    other_true, other_predicted = true_mm.copy(), predicted_mm.copy()
    other_true[~seen] = np.nan
    other_predicted[~seen] = rng.normal(size=((~seen).sum(), 3)) * 1e4
    other_predicted[0, ~seen[0]] = np.nan  # nor does it leave the hand out
    assert hand_metrics(predicted_mm, true_mm, seen) == hand_metrics(other_predicted, other_true, seen)
    assert absolute_metrics(predicted_mm, true_mm, seen) == absolute_metrics(other_predicted, other_true, seen)
    first = keypoint_metrics(predicted_mm[..., :2], true_mm[..., :2], seen)
    assert first == keypoint_metrics(other_predicted[..., :2], other_true[..., :2], seen)


def test_a_joint_that_is_never_seen_has_no_error(tmp_path: Path) -> None:
    true_mm, seen = some_hands(3, 0), np.ones((3, 21), dtype=bool)
    seen[:, 17:21] = False
    true_mm[:, 17:21] = np.nan
    path = write_predictions(tmp_path / "predictions.parquet", some_hands(3, 1), true_mm, seen=seen)
    evaluate(path, tmp_path / "metrics.json")
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["per_joint_mm"][17:] == [None] * 4
    assert metrics["per_finger_mm"]["little"] is None
    assert metrics["mpjpe_mm"] == pytest.approx(np.mean(metrics["per_joint_mm"][:17]))
    assert metrics["by_side"] == {}  # the palm's corner at the little finger is not known


def test_absolute_by_hand() -> None:
    true_mm = some_hands(3, 0)
    absolute_mm = true_mm + np.array([0, 0, 25.2])  # seen too far away
    absolute_mm[2] = np.nan
    found = absolute_metrics(absolute_mm, true_mm, np.ones((3, 21), dtype=bool))
    assert found is not None
    assert found["n_images"] == 2
    assert found["mpjpe_mm"] == found["median_mm"] == pytest.approx(25.2)
    assert found["root_mpjpe_mm"] == pytest.approx(0, abs=1e-9)
    assert found["pck_auc_0_50"] == pytest.approx(49.5 / 99)  # right from threshold 50 (of 0 to 99) on
    assert found["aligned_mpjpe_mm"] == pytest.approx(0, abs=1e-9)
    assert found["aligned_pck_auc_0_50"] == pytest.approx(1, abs=0.01)
    assert found["peclr_auc"] == pytest.approx(93.5 / 99)  # 30 mm is the first that is more: 6 of 0 to 99
    assert found["peclr_median_mm"] == pytest.approx(25.2)
    assert absolute_metrics(absolute_mm[2:], true_mm[2:], np.ones((1, 21), dtype=bool)) is None


def test_a_mirrored_hand_is_right_only_for_freihand() -> None:
    true_mm = some_hands(2, 0)
    found = absolute_metrics(true_mm * (-1, 1, 1), true_mm, np.ones((2, 21), dtype=bool))
    assert found is not None
    assert found["aligned_mpjpe_mm"] == pytest.approx(0, abs=1e-9)
    assert found["peclr_pa_auc"] < 0.97


def test_keypoints_by_hand() -> None:
    true_px = np.zeros((2, 21, 2))
    true_px[:, 9] = (40, 100)  # an extent of 100 px
    predicted_px = true_px + np.array([6, 8])  # 10 px off
    predicted_px[:, 0] = true_px[:, 0] + np.array([3, 0])
    found = keypoint_metrics(predicted_px, true_px, np.ones((2, 21), dtype=bool))
    assert found is not None
    assert found["mean_error_px"] == pytest.approx((20 * 10 + 3) / 21)
    assert found["pck"] == pytest.approx({"0.05": 1 / 21, "0.1": 1.0, "0.2": 1.0})
    predicted_px[0, 5] = np.nan
    found = keypoint_metrics(predicted_px, true_px, np.ones((2, 21), dtype=bool))
    assert found is not None
    assert found["n_images"] == 1
    assert keypoint_metrics(predicted_px[:1], true_px[:1], np.ones((1, 21), dtype=bool)) is None


def test_conditions(tmp_path: Path) -> None:
    true_mm = some_hands(4, 0)
    predicted_mm = true_mm.copy()
    for row in range(4):
        predicted_mm[row, 4, 0] += 21.0 * row  # an error of `row` mm
    columns = {"view": ["front", "", "front", "top"], "hidden": [0.0, 0.1, None, 0.25]}
    write_predictions(tmp_path / "predictions.parquet", predicted_mm, true_mm, **columns)
    metrics = all_metrics(read_predictions(tmp_path / "predictions.parquet"))
    near = pytest.approx
    assert metrics["by_view"]["front"] == {"n_images": 2, "mpjpe_mm": near(1.0, abs=1e-4)}
    assert metrics["by_view"]["top"] == {"n_images": 1, "mpjpe_mm": near(3.0, abs=1e-4)}
    assert metrics["by_hidden"] == {
        "0": {"n_images": 1, "mpjpe_mm": near(0.0, abs=1e-4)},
        "0-0.25": {"n_images": 2, "mpjpe_mm": near(2.0, abs=1e-4)},
    }
    assert sum(each["n_images"] for each in metrics["by_side"].values()) == 4


def test_errors_of_images(tmp_path: Path) -> None:
    true_mm, seen = some_hands(2, 0), np.ones((2, 21), dtype=bool)
    predicted_mm = true_mm.copy()
    predicted_mm[:, 4, 0] += 21.0
    seen[1, 10:] = False  # 10 joints remain
    true_mm[1, 10:] = np.nan
    columns = {"seen": seen, "sequence": [7, 3], "name": ["a", "b"], "flipped": [False, True]}
    found = read_predictions(write_predictions(tmp_path / "predictions.parquet", predicted_mm, true_mm, **columns))
    assert found.names.tolist() == ["a", "b"]
    assert found.sequences.tolist() == [7, 3]
    assert found.flipped.tolist() == [False, True]
    np.testing.assert_allclose(aligned_errors(found).mean(axis=1), [1.0, 2.1], atol=1e-4)


def test_the_same_predictions_give_the_same_bytes(tmp_path: Path) -> None:
    path = write_predictions(tmp_path / "predictions.parquet", some_hands(3, 0), some_hands(3, 1))
    for name in ("first.json", "second.json"):
        main(["--predictions", str(path), "--metrics", str(tmp_path / name)])
    assert (tmp_path / "first.json").read_bytes() == (tmp_path / "second.json").read_bytes()


@pytest.mark.parametrize(("rows", "value", "said"), [(0, 0.0, "no predictions"), (2, np.nan, "not finite")])
def test_what_cannot_be_judged_is_refused(tmp_path: Path, rows: int, value: float, said: str) -> None:
    hands = some_hands(rows, seed=0)
    write_predictions(tmp_path / "predictions.parquet", hands + value, hands)
    with pytest.raises(TableError, match=said):
        evaluate(tmp_path / "predictions.parquet", tmp_path / "metrics.json")
    assert not (tmp_path / "metrics.json").exists()


@pytest.mark.parametrize(("joint", "name"), [(0, "wrist"), (9, "middle_base")])
def test_a_hand_without_place_or_size_is_refused(tmp_path: Path, joint: int, name: str) -> None:
    hands, seen = some_hands(3, 0), np.ones((3, 21), dtype=bool)
    seen[1, joint] = False
    path = write_predictions(tmp_path / "predictions.parquet", hands, hands, seen=seen)
    with pytest.raises(TableError, match=rf"without its {name}(.|\n)*00000001.jpg(.|\n)*1 such of 3"):
        read_predictions(path)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"predictions\.parquet"):
        evaluate(tmp_path / "predictions.parquet", tmp_path / "metrics.json")


@pytest.mark.parametrize("arguments", [[], ["--predictions", "x"], ["--metrics", "x"], ["--freihand", "x"]])
def test_the_command_refuses_half_a_task(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)


def test_memory_for_as_many_hands_as_assemblyhands_has() -> None:
    count = 109_800
    rng = np.random.default_rng(0)
    true_mm = (rng.normal(size=(count, 21, 3)) * 40 + (0, 0, 600)).astype(np.float32)
    predicted_mm = true_mm + rng.normal(size=true_mm.shape).astype(np.float32) * 10
    numbers, texts = np.arange(count), np.full(count, "c")
    hidden, seen = np.full(count, np.nan), some_seen(count, 1)
    pixels = true_mm[..., :2]
    arrays = (seen, predicted_mm, true_mm, true_mm, predicted_mm, pixels, pixels)
    predictions = Predictions(texts, texts, numbers == 0, numbers, texts, hidden, *arrays)
    tracemalloc.start()
    metrics = all_metrics(predictions)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"{peak / 1e6:.0f} MB beyond the table")
    assert metrics["absolute"]["n_images"] == count
    assert peak < 800e6
