"""Keypoints from one square's units to another's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from simhand.hand100m.geometry import change_units, has_area, mirrored, official_square
from simhand.hands.boxes import square_around

corners = st.integers(-400, 400)
sides = st.integers(3, 900)
squares = st.tuples(corners, corners, sides, sides).map(lambda s: (s[0], s[1], s[0] + s[2], s[1] + s[3]))
poses = arrays(np.float32, (21, 3), elements=st.floats(-1, 2, width=32))
boxes = st.tuples(st.floats(-50, 600), st.floats(-50, 440), st.floats(4, 500), st.floats(4, 500)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


def test_a_point_by_hand() -> None:
    keypoints = np.zeros((1, 21, 3))
    keypoints[0, 5] = (0.5, 0.25, -0.1)  # 10 + 0.5 * 100 = 60, 20 + 0.25 * 40 = 30; z is 0.1 * 100 px
    moved = change_units(keypoints, np.array([[10, 20, 110, 60]]), np.array([[40, 0, 240, 50]]))
    assert moved[0, 5] == pytest.approx([(60 - 40) / 200, 30 / 50, -10 / 200])


@given(poses, squares, squares)
def test_there_and_back(keypoints: np.ndarray, square: tuple, other: tuple) -> None:
    one, two = np.array([square]), np.array([other])
    back = change_units(change_units(keypoints[None], one, two), two, one)
    np.testing.assert_allclose(back[0], keypoints, atol=1e-9 * 1000)


@given(poses, boxes, st.booleans())
def test_from_our_square_to_the_official_one_and_back_stays_within_float32(
    keypoints: np.ndarray, box: tuple, left: bool
) -> None:
    ours, theirs = np.array([square_around(box, 1.3)]), np.array([official_square(box, 640, 480)])
    if not has_area(theirs[0]):
        return
    flipped = np.array([left])
    written = change_units(mirrored(keypoints[None], flipped), ours, theirs).astype(np.float32)
    read = mirrored(change_units(written, theirs, ours), flipped)
    largest = np.abs(written).max() * (theirs[0, 2:] - theirs[0, :2]).max()  # pixels
    np.testing.assert_allclose(read[0], keypoints, atol=4e-7 * max(largest, 1) / 4 + 4e-7)


@given(poses)
def test_mirroring_twice_changes_nothing_but_rounding(keypoints: np.ndarray) -> None:
    both = np.stack([keypoints, keypoints])
    once = mirrored(both, np.array([True, False]))
    np.testing.assert_array_equal(once[1], keypoints)
    np.testing.assert_array_equal(once[0, :, 0], 1 - keypoints[:, 0])
    np.testing.assert_array_equal(once[0, :, 1:], keypoints[:, 1:])
    np.testing.assert_allclose(mirrored(once, np.array([True, False]))[0], keypoints, atol=2e-7)
