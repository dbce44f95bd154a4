"""Where hands are, by shapes and keypoints with exact truth, and with noise."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simhand.finetuning.absolute import in_bones, placed
from tests.finetuning.made_up_batch import CAMERA, projected, random_joints

BONE_MM = 30.0


def cameras(count: int) -> torch.Tensor:
    return CAMERA.expand(count, 3, 3)


@given(st.integers(0, 10_000), st.floats(0.2, 5))
def test_exact_keypoints_give_the_exact_place(seed: int, unit: float) -> None:
    """Whatever point the shape is relative to, and in whatever unit."""
    joints = random_joints(3, seed)
    shapes = (joints - joints[:, [4]]) * unit + 1
    found = placed(shapes, projected(joints), cameras(3))
    torch.testing.assert_close(found, joints * unit, rtol=1e-6, atol=1e-4)


def test_a_turned_camera_with_two_focal_lengths() -> None:
    joints = random_joints(2)
    turn = torch.eye(3, dtype=torch.float64)
    turn[:2, :2] = torch.tensor([[0.6, -0.8], [0.8, 0.6]])
    camera = CAMERA @ turn.T
    found = placed(joints - joints[:, :1], projected(joints, camera), camera.expand(2, 3, 3))
    torch.testing.assert_close(found, joints, rtol=1e-6, atol=1e-4)


def test_noise_of_a_pixel_moves_a_hand_by_little() -> None:
    """At 700 mm and a focal length of 300 px, one pixel is 2.3 mm across and, hands being 80 mm wide, 30 mm deep."""
    joints = random_joints(200)
    noise = torch.randn(200, 21, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = placed(joints - joints[:, :1], projected(joints) + noise, cameras(200))
    errors_mm = (found - joints)[:, 0]
    assert errors_mm[:, :2].square().mean().sqrt() < 3 * 2.3 / 21**0.5
    assert errors_mm[:, 2].square().mean().sqrt() < 30
    assert errors_mm.mean(dim=0).abs().max() < 6  # hardly biased


def test_joints_with_little_weight_hardly_matter() -> None:
    joints = random_joints(2)
    keypoints = projected(joints)
    keypoints[:, 7] += 500
    weights = torch.ones(2, 21, dtype=torch.float64)
    weights[:, 7] = 1e-9
    shapes = joints - joints[:, :1]
    weighted = placed(shapes, keypoints, cameras(2), weights)
    torch.testing.assert_close(weighted, joints, rtol=0, atol=0.01)
    assert (placed(shapes, keypoints, cameras(2)) - joints).norm(dim=2).min() > 50


def test_all_keypoints_at_one_place_are_no_reason_to_stop() -> None:
    joints = random_joints(2)
    keypoints = torch.full((2, 21, 2), 14.0, dtype=torch.float64)
    shapes = joints - joints[:, :1]
    moved = placed(shapes, keypoints, cameras(2)) - shapes
    assert (moved.norm(dim=2) < shapes.norm(dim=2).amax()).all()


def test_an_image_with_an_unknown_camera_has_no_place_and_others_have_theirs() -> None:
    joints = random_joints(2)
    some = cameras(2).clone()
    some[0, 0, 0] = torch.nan
    found = placed(joints - joints[:, :1], projected(joints), some)
    assert found[0].isnan().all()
    torch.testing.assert_close(found[1], joints[1], rtol=1e-6, atol=1e-4)


def test_units_of_length() -> None:
    joints = random_joints(3)
    torch.testing.assert_close(in_bones(joints), joints / BONE_MM)
    torch.testing.assert_close(in_bones(joints, 0, 9), joints / 70)
    assert in_bones(torch.zeros(1, 21, 3)).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_precision_is_kept(dtype: torch.dtype) -> None:
    joints = random_joints(2).to(dtype)
    found = placed(joints - joints[:, :1], projected(joints, CAMERA.to(dtype)), cameras(2).to(dtype))
    assert found.dtype == dtype
    torch.testing.assert_close(found, joints, rtol=1e-3, atol=0.1)
