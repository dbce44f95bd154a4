from __future__ import annotations

import numpy as np
import pytest

from simhand.synthetic.raster import rasterise
from simhand.synthetic.shading import Light, draw_light, fold_light, lit_vertices, vertex_normals

LAMP = Light(towards=np.array([0.0, 0.0, -1.0]), lamp_rgb=np.full(3, 0.6), ambient_rgb=np.full(3, 0.4), gloss=0.0)


def test_normals_of_a_corner() -> None:
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    faces = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1]])  # three right triangles of equal area
    normals = vertex_normals(vertices, faces)
    np.testing.assert_allclose(normals[0], np.full(3, 3**-0.5))
    np.testing.assert_allclose(normals[1], [0, 0.5**0.5, 0.5**0.5])  # of the faces z = 0 and y = 0


def test_light_by_hand() -> None:
    colour = np.array([[1.0, 0.5, 0.25]])
    facing, away, up = (lit_vertices(colour, np.array([n]), LAMP) for n in ([0.0, 0, -1], [0.0, 0, 1], [0.0, -1, 0]))
    np.testing.assert_allclose(facing, colour * (0.6 + 0.8 * 0.4))
    np.testing.assert_allclose(away, colour * 0.8 * 0.4)
    np.testing.assert_allclose(up, colour * (0.6 * 0.25 / 1.25 + 1.0 * 0.4))  # light wraps; the sky is bright


def test_folds_are_dark_and_even_surfaces_are_not() -> None:
    square = np.array([[0.0, 0.0], [0.0, 40.0], [40.0, 40.0], [40.0, 0.0]])
    fragments = rasterise(square, np.ones(4), np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32), (41, 41))
    depth = np.full(41 * 41, 0.5, np.float32)
    np.testing.assert_allclose(fold_light(depth, fragments, 4), 1.0, atol=1e-5)
    depth[20 * 41 + 20] += 0.012
    light = fold_light(depth, fragments, 4)
    assert light.argmin() == 20 * 41 + 20
    assert light.min() == pytest.approx(1 - 0.5 * 80 / 81, abs=1e-3)  # 80 of the 81 pixels around lie nearer


def test_lamps_stand_above_and_before_the_hand() -> None:
    for seed in range(50):
        light = draw_light(np.random.default_rng(seed))
        assert np.linalg.norm(light.towards) == pytest.approx(1.0)
        assert light.towards[1] < 0
        assert light.towards[2] < 0
        assert (light.lamp_rgb + light.ambient_rgb < 1.35).all()
