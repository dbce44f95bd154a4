"""DetNet's targets, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simhand.finetuning.targets import bone_directions, heatmaps
from simhand.joints import PARENTS
from simhand.unit_hands import bone_lengths, joint_locations


def keypoints(x: float, y: float) -> torch.Tensor:
    """All joints at one place."""
    return torch.tensor([x, y], dtype=torch.float64).expand(1, 21, 2)


def test_a_heatmap_by_hand() -> None:
    maps, veil = heatmaps(keypoints(43.9, 8.0), 128, 4)  # cell x 10 (of 43), y 2
    assert maps.shape == (1, 21, 32, 32)
    found = maps[0, 5]
    assert found[2, 10] == 1.0
    assert found[2, 11] == found[3, 10] == pytest.approx(np.exp(-0.5))
    assert found[4, 12] == pytest.approx(np.exp(-4))
    assert found[5, 13] == pytest.approx(np.exp(-9))
    assert found[2, 14] == found[6, 10] == found[2, 6] == 0.0  # beyond 7 x 7
    assert (veil == 1).all()


@pytest.mark.parametrize(
    ("x", "cell", "seen"),
    [(-0.9, 0, 1), (-3.9, 0, 1), (-4.0, -1, 1), (-13.0, -3, 1), (-16.0, -4, 0), (139.0, 34, 1), (140.0, 35, 0)],
)
def test_joints_at_the_border(x: float, cell: int, seen: int) -> None:
    """Truncated towards zero; a joint is veiled once its 7 x 7 cells lie wholly outside."""
    maps, veil = heatmaps(keypoints(x, 64.0), 128, 4)
    assert (veil == seen).all()
    columns = torch.arange(32)
    expected = torch.exp(-((columns - cell) ** 2) / 2.0) * ((columns - cell).abs() <= 3)
    torch.testing.assert_close(maps[0, 0, 16], expected.double(), rtol=1e-6, atol=1e-9)


def test_locations_by_hand() -> None:
    joints = np.zeros((1, 21, 3))
    joints[0] += (5, 5, 5)
    joints[0, 9] = (5, 9, 5)  # a bone of 4
    joints[0, 12] = (5, 13, 7)
    assert bone_lengths(joints) == [4.0]
    locations = joint_locations(joints)
    np.testing.assert_allclose(locations[0, [0, 9, 12]], [(0, 0, 0), (0, 1, 0), (0, 2, 0.5)])


def test_directions_by_hand() -> None:
    locations = torch.zeros(1, 21, 3)
    locations[0, 5] = torch.tensor([0.0, 2.0, 0.0])  # index finger's base, a child of the wrist
    locations[0, 6] = torch.tensor([3.0, 2.0, 4.0])
    directions = bone_directions(locations)
    torch.testing.assert_close(directions[0, 5], torch.tensor([0.0, 1.0, 0.0]))
    torch.testing.assert_close(directions[0, 6], torch.tensor([0.6, 0.0, 0.8]))
    torch.testing.assert_close(directions[0, 7], torch.tensor([-3.0, -2.0, -4.0]) / 29**0.5)
    assert (directions[0, 0] == 0).all()


def test_parents_are_finger_chains_from_the_wrist() -> None:
    assert [child for child, parent in enumerate(PARENTS) if parent == 0] == [0, 1, 5, 9, 13, 17]
    assert all(parent in (0, child - 1) for child, parent in enumerate(PARENTS))


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10), st.floats(-100, 100))
def test_targets_ignore_place_and_size(seed: int, scale: float, shift: float) -> None:
    joints = np.random.default_rng(seed).normal(size=(2, 21, 3))
    expected, found = joint_locations(joints), joint_locations(scale * joints + shift)
    np.testing.assert_allclose(found, expected, atol=1e-8)
    lengths = bone_directions(torch.from_numpy(found)).norm(dim=2)
    torch.testing.assert_close(lengths[:, 1:], torch.ones(2, 20, dtype=torch.float64))
