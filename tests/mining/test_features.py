"""Pose vectors, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from simhand.errors import TableError
from simhand.mining.features import pose_vectors


def _hand() -> np.ndarray:
    """Joint k at (k, 2k, 99), float32 (1, 21, 3)."""
    k = np.arange(21, dtype=np.float32)
    return np.stack([k, 2 * k, np.full(21, 99, np.float32)], axis=1)[None]


def test_crop_takes_x_and_y_joint_by_joint() -> None:
    vectors = pose_vectors(_hand(), "crop")
    assert vectors.dtype == np.float64
    np.testing.assert_array_equal(vectors[0, :6], [0, 0, 1, 2, 2, 4])
    assert vectors.shape == (1, 42)


def test_centred_is_relative_to_the_mean() -> None:
    vectors = pose_vectors(_hand(), "centred")  # mean (10, 20)
    np.testing.assert_array_equal(vectors[0, :4], [-10, -20, -9, -18])


def test_centred_scaled_has_unit_root_mean_square() -> None:
    vectors = pose_vectors(_hand(), "centred_scaled")
    size = np.sqrt(5 * 770 / 21)  # sum over k of (k - 10)^2 = 770, times 1 + 4
    np.testing.assert_allclose(vectors[0, :2], [-10 / size, -20 / size], rtol=1e-14)
    np.testing.assert_allclose(np.square(vectors).sum() / 21, 1, rtol=1e-14)


def test_scaling_undoes_shift_and_size() -> None:
    moved = _hand() * [3, 3, 1] + [5, -2, 0]
    np.testing.assert_allclose(pose_vectors(moved, "centred_scaled"), pose_vectors(_hand(), "centred_scaled"))


def test_a_hand_on_one_point_cannot_be_scaled() -> None:
    hands = np.concatenate([_hand(), np.full((1, 21, 3), 0.5, np.float32)])
    with pytest.raises(TableError, match="row 1 of the pool"):
        pose_vectors(hands, "centred_scaled")
    assert not pose_vectors(hands, "centred")[1].any()
