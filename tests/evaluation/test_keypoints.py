"""Metrics of keypoints, by hand."""

from __future__ import annotations

import numpy as np

from simhand.evaluation.keypoints import hand_extents, heatmap_accuracy


def test_extents() -> None:
    true_px = np.array([[[0.0, 0], [10, 30], [500, np.nan]], [[5, 5], [25, 6], [5, 7]]])
    seen = np.array([[1, 1, 0], [1, 1, 1]], dtype=bool)
    np.testing.assert_array_equal(hand_extents(true_px, seen), [30, 20])


def test_heatmap_accuracy() -> None:
    true = np.array([[[10.0, 10], [0, 5], [4, 4], [8, 8]], [[10, 10], [9, 9], [4, 4], [8, 8]]])
    predicted = true.copy()
    predicted[0, 0] += (1, 1)  # 1.4 cells of 1.6
    predicted[1, 0] += (2, 0)
    predicted[0, 1] += 9  # a true one in the first column does not count
    seen = np.array([[1, 1, 1, 0], [1, 1, 1, 0]], dtype=bool)
    accuracy = heatmap_accuracy(predicted, true, 32, seen)
    assert accuracy.tolist() == [0.5, 1.0, 1.0, None]
