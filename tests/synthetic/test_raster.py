from __future__ import annotations

import numpy as np

from simhand.synthetic.raster import rasterise

SQUARE = np.array(
    [[2.0, 2.0], [2.0, 7.0], [7.0, 7.0], [7.0, 2.0]]
)  # counter-clockwise on a picture whose y points down
FACES = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)


def test_a_square_covers_its_pixels() -> None:
    fragments = rasterise(SQUARE, np.ones(4), FACES, (10, 12))
    drawn = np.zeros(120, bool)
    drawn[fragments.pixels] = True
    expected = np.zeros((10, 12), bool)
    expected[2:8, 2:8] = True
    np.testing.assert_array_equal(drawn.reshape(10, 12), expected)


def test_values_are_interpolated_linearly() -> None:
    values = np.column_stack([SQUARE[:, 0], 3 * SQUARE[:, 1] - SQUARE[:, 0], np.ones(4)]).astype(np.float32)
    fragments = rasterise(SQUARE, np.ones(4), FACES, (10, 12))
    x, y = fragments.pixels % 12, fragments.pixels // 12
    np.testing.assert_allclose(
        fragments.interpolate(values), np.column_stack([x, 3 * y - x, np.ones(len(x))]), atol=1e-5
    )


def test_faces_that_look_away_are_not_drawn() -> None:
    assert len(rasterise(SQUARE, np.ones(4), FACES[:, ::-1], (10, 12)).pixels) == 0


def test_the_nearer_face_covers_the_farther_one() -> None:
    points = np.concatenate([SQUARE, SQUARE])
    faces = np.concatenate([FACES, FACES + 4])
    for near, depth in ((0, [1, 2]), (4, [2, 1])):
        fragments = rasterise(points, np.repeat(depth, 4).astype(float), faces, (10, 12))
        assert (fragments.faces // 4 == near // 4).all()


def test_what_lies_outside_the_picture_is_cut_off() -> None:
    fragments = rasterise(SQUARE - 4.0, np.ones(4), FACES, (10, 12))
    assert sorted(fragments.pixels.tolist()) == [12 * row + column for row in range(4) for column in range(4)]
