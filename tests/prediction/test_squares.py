"""From a hand in an image to its crop and back: exact, for right hands and, in the mirror, for left ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simhand.finetuning.labelled import hand_squares
from simhand.finetuning.samples import crop_batch
from simhand.prediction.squares import HandSquare, assumed_camera, square_around

WIDTH, HEIGHT, SIZE = 200, 160, 64
squares = st.builds(
    lambda x, y, w, h, mirrored: square_around((x, y, x + w, y + h), mirrored, WIDTH, 2.0, SIZE),
    st.floats(0, 150),
    st.floats(0, 110),
    st.floats(1, 90),
    st.floats(1, 90),
    st.booleans(),
)
seeds = st.integers(0, 2**32 - 1)


def test_a_square_by_hand() -> None:
    right = square_around((40, 20, 80, 100), False, WIDTH, 2.0, SIZE)
    assert (right.center_px.tolist(), right.side_px) == ([60, 60], 160)
    # the square's left border lies at 60 + 0.5 - 80 = -19.5 in pixels whose first has its corner at 0
    np.testing.assert_allclose(right.to_crop(np.array([[60.0, 60.0], [-20.0, -20.0]])), [[32, 32], [0, 0]], atol=1e-9)
    left = square_around((40, 20, 80, 100), True, WIDTH, 2.0, SIZE)
    assert left.center_px.tolist() == [139, 60]  # 200 - 1 - 60
    # a quarter of the square, 40 px, to the right of the hand in the image is to its left in the mirror
    np.testing.assert_allclose(left.to_crop(np.array([[60.0, 60.0], [100.0, 60.0]])), [[32, 32], [16, 32]], atol=1e-9)


@given(seeds)
def test_the_square_is_the_one_that_fine_tuning_cuts_out(seed: int) -> None:
    keypoints_px = np.random.default_rng(seed).uniform(0, 150, (1, 21, 2))
    low, high = keypoints_px[0].min(axis=0), keypoints_px[0].max(axis=0)
    centers_px, sides_px = hand_squares(keypoints_px, 1.75)
    square = square_around((*low, *high), False, WIDTH, 1.75, SIZE)
    assert square.center_px.tolist() == centers_px[0].tolist()
    assert square.side_px == pytest.approx(sides_px[0])


@given(squares, seeds)
def test_there_and_back(square: HandSquare, seed: int) -> None:
    keypoints_px = np.random.default_rng(seed).uniform(-50, 250, (21, 2))
    np.testing.assert_allclose(square.to_image(square.to_crop(keypoints_px)), keypoints_px, atol=1e-9)


@given(squares, seeds)
def test_the_camera_sees_joints_where_their_keypoints_are(square: HandSquare, seed: int) -> None:
    """Joints before the image's camera, projected and then moved to the crop, or mirrored and seen by the crop's."""
    rng = np.random.default_rng(seed)
    joints_mm = rng.normal([20, -30, 600], 60, (21, 3))
    camera = np.array([[220.0, 0, 91.0], [0, 230.0, 77.0], [0, 0, 1]])
    seen = joints_mm @ camera.T
    in_image = seen[:, :2] / seen[:, 2:]
    in_crop = square.unmirrored(joints_mm) @ square.camera(camera).T  # mirroring twice changes nothing
    np.testing.assert_allclose(in_crop[:, :2] / in_crop[:, 2:], square.to_crop(in_image), atol=1e-8)


@pytest.mark.parametrize("mirrored", [False, True])
def test_pixels_are_cut_where_keypoints_are_moved_to(mirrored: bool) -> None:
    """Bright spots of an image appear in the crop where their places are moved to, to a tenth of a pixel."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    square = square_around((60, 40, 110, 100), mirrored, WIDTH, 2.0, SIZE)
    for place in np.array([[70.0, 50.0], [100.0, 55.0], [83.0, 95.0]]):
        spot = np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / (2 * 3.0**2))
        image = torch.from_numpy((255 * spot).round().astype(np.uint8)).expand(3, -1, -1)
        (crop,) = crop_batch([image.flip(2) if mirrored else image], square.affine[None], SIZE)
        weights = (crop[0] + 0.5).numpy()  # (SIZE, SIZE)
        centers = np.arange(SIZE) + 0.5
        found = [(weights.sum(axis=axis) * centers).sum() / weights.sum() for axis in (0, 1)]
        np.testing.assert_allclose(found, square.to_crop(place[None])[0], atol=0.1)


def test_the_assumed_camera() -> None:
    assert assumed_camera(640, 480, None).tolist() == [[640, 0, 319.5], [0, 640, 239.5], [0, 0, 1]]
    assert assumed_camera(480, 640, None)[0, 0] == 640
    assert assumed_camera(640, 480, 512.5)[1, 1] == 512.5


def test_a_box_without_extent_still_has_a_square() -> None:
    assert square_around((10, 10, 10, 10), False, WIDTH, 2.0, SIZE).side_px == 1
