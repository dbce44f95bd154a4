"""What hides a hand, and which side of it is seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simhand.evaluation.conditions import errors_by_bin, hidden_bins, side_bins, viewing_angles

BEFORE_THE_CAMERA = np.array([0.0, 0.0, 600.0])  # mm


def upright_right_hand() -> np.ndarray:
    """(1, 21, 3): palm towards the camera, fingers up; so the thumb and the index finger are on the right side."""
    joints = np.zeros((1, 21, 3))
    joints[0, 5], joints[0, 17] = (30, -80, 0), (-30, -75, 0)
    return joints


def turned(joints: np.ndarray, degrees: float) -> np.ndarray:
    """About the upright axis."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return joints @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])


@given(st.floats(0, 180))
def test_angles(degrees: float) -> None:
    far_away = np.array([0, 0, 1e9])
    angle = viewing_angles(turned(upright_right_hand(), degrees) + far_away)
    assert angle[0] == pytest.approx(degrees, abs=1e-3)


@pytest.mark.parametrize(("degrees", "side"), [(0, "palm"), (45, "palm"), (90, "side"), (135, "back"), (180, "back")])
def test_sides(degrees: float, side: str) -> None:
    hand = turned(upright_right_hand(), degrees) + BEFORE_THE_CAMERA
    assert side_bins(viewing_angles(hand)).tolist() == [side]


def test_a_mirrored_image_of_a_palm_shows_a_left_hand() -> None:
    """Whoever reads left hands without mirroring them gets the wrong side."""
    hand = (upright_right_hand() + BEFORE_THE_CAMERA) * (-1, 1, 1)
    assert side_bins(viewing_angles(hand)).tolist() == ["back"]


def test_the_camera_sees_hands_from_where_it_is() -> None:
    """A palm that points along the axis shows its edge to a camera that has it far to the side."""
    hand = upright_right_hand() + 10 * BEFORE_THE_CAMERA[::-1] + BEFORE_THE_CAMERA
    assert side_bins(viewing_angles(hand)).tolist() == ["side"]


def test_unknown_joints_and_flat_palms_have_no_side() -> None:
    unknown = np.concatenate([upright_right_hand(), np.zeros((1, 21, 3))]) + BEFORE_THE_CAMERA
    unknown[0, 17] = np.nan
    assert np.isnan(viewing_angles(unknown)).all()
    assert side_bins(viewing_angles(unknown)).tolist() == ["", ""]


def test_bins_of_hidden_joints() -> None:
    shares = np.array([0, 0.01, 0.25, 0.26, 0.75, 1, np.nan], dtype=np.float32)
    assert hidden_bins(shares).tolist() == ["0", "0-0.25", "0-0.25", "0.25-0.5", "0.5-0.75", "0.75-1", ""]


def test_errors_by_bin_by_hand() -> None:
    errors = np.ma.array([[1.0, 2.0], [3.0, 99.0], [5.0, 6.0]], mask=[[0, 0], [0, 1], [0, 0]])
    found = errors_by_bin(errors, np.array(["a", "a", ""]))
    assert found == {"a": {"n_images": 2, "mpjpe_mm": 2.0}}  # (1 + 3) / 2 and 2, and their mean
