"""Distances of paired hands, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from simhand.errors import TableError
from simhand.mining.similarity import random_other_video, root_aligned_distance


def _hand(length: float = 1.0) -> np.ndarray:
    """All joints at the wrist but the middle knuckle, (1, 21, 3)."""
    joints = np.zeros((1, 21, 3))
    joints[0, 9] = [0, length, 0]
    return joints


def test_place_and_size_do_not_count() -> None:
    assert root_aligned_distance(_hand(), 80 * _hand() + [1, 2, 3]) == pytest.approx([0], abs=1e-12)


def test_the_distance_is_in_bone_lengths_and_a_mean_over_joints() -> None:
    bent = _hand(2.0)
    bent[0, 4] = [6, 0, 0]  # 3 bone lengths away
    bent[0, 8] = [0, 0, -8]  # 4
    assert root_aligned_distance(_hand(), bent) == pytest.approx([7 / 21])


def test_a_hand_without_length_is_named() -> None:
    with pytest.raises(TableError, match="row 1"):
        root_aligned_distance(np.concatenate([_hand(), 0 * _hand()]), np.concatenate([_hand(), _hand()]))


def test_random_partners_are_of_other_videos_and_all_equally_likely() -> None:
    videos = np.array([1, 0, 1, 2, 0])
    drawn = np.stack([random_other_video(videos, seed) for seed in range(3000)])
    assert (videos[drawn] != videos).all()
    for row, video in enumerate(videos):
        counts = np.bincount(drawn[:, row], minlength=5)[videos != video]
        np.testing.assert_allclose(counts / 3000, 1 / len(counts), atol=0.05)


def test_the_seed_decides() -> None:
    videos = np.arange(100) // 10
    np.testing.assert_array_equal(random_other_video(videos, 1), random_other_video(videos, 1))
    assert (random_other_video(videos, 1) != random_other_video(videos, 2)).any()
