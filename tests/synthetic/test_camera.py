from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simhand.synthetic.camera import Camera

CAMERA = Camera(focal_px=400.0, centre_px=(100.0, 60.0), width=200, height=120)


def test_projection_by_hand() -> None:
    points = np.array([[0.0, 0.0, 1.0], [0.1, -0.05, 0.5], [-0.2, 0.1, 2.0]])
    np.testing.assert_allclose(CAMERA.project(points), [[100, 60], [180, 20], [60, 80]])


def test_projection_is_that_of_the_matrix() -> None:
    points = np.random.default_rng(0).uniform([-0.2, -0.2, 0.3], [0.2, 0.2, 1.0], (5, 21, 3))
    homogeneous = points @ CAMERA.matrix.T
    np.testing.assert_allclose(CAMERA.project(points), homogeneous[..., :2] / homogeneous[..., 2:])


@given(st.floats(0, 199), st.floats(0, 119), st.floats(0.1, 5))
def test_at_depth_inverts_projection(x: float, y: float, depth: float) -> None:
    point = CAMERA.at_depth(np.array([[x, y]]), np.array([depth]))
    np.testing.assert_allclose(CAMERA.project(point), [[x, y]], atol=1e-9)
    assert point[0, 2] == depth


def test_inside_counts_whole_pixels() -> None:
    pixels = np.array([[-0.5, -0.5], [199.4, 119.4], [-0.6, 5], [199.5, 5], [5, 119.5], [50, 50]])
    np.testing.assert_array_equal(CAMERA.inside(pixels), [True, True, False, False, False, True])


def test_a_centred_camera_looks_at_the_middle() -> None:
    np.testing.assert_array_equal(Camera.centred(300.0, 4, 3).matrix, [[300, 0, 1.5], [0, 300, 1], [0, 0, 1]])
