"""Squares cut out of images, with what lies in them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simhand.finetuning.crops import crop_affine, move, rotation
from simhand.finetuning.samples import crop_batch

PX = st.floats(-200, 200)


def cut(image: torch.Tensor, affine: np.ndarray, size: int) -> torch.Tensor:
    """One crop, (3, size, size) in 0..1."""
    return crop_batch([image], affine[None], size)[0] + 0.5


def test_rotation_turns_x_towards_y() -> None:
    np.testing.assert_allclose(rotation(np.pi / 2) @ [1, 0], [0, 1], atol=1e-12)


def test_a_plain_square_by_hand() -> None:
    affine = crop_affine(np.array([50.0, 40.0]), 20.0, 0.0, 10)  # from (40, 30) to (60, 50), halved
    np.testing.assert_allclose(move(np.array([[40, 30], [60, 50], [50, 40]]), affine), [[0, 0], [10, 10], [5, 5]])


@given(PX, PX, st.floats(1, 500), st.floats(-3, 3))
def test_centre_and_size_are_kept(x: float, y: float, side: float, angle: float) -> None:
    center = np.array([x, y])
    affine = crop_affine(center, side, angle, 64)
    np.testing.assert_allclose(move(center, affine), [32, 32], atol=1e-8)
    edge = move(center + rotation(-angle) @ [side / 2, 0], affine)  # what is turned onto the x axis
    np.testing.assert_allclose(edge, [64, 32], atol=1e-8)


def test_cutting_without_change_gives_the_image() -> None:
    image = torch.randint(0, 256, (3, 12, 12), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    crop = cut(image, crop_affine(np.array([6.0, 6.0]), 12.0, 0.0, 12), 12)
    torch.testing.assert_close(crop, image / 255, rtol=0, atol=1e-5)


def test_a_quarter_turn_and_black_outside() -> None:
    image = torch.zeros(3, 4, 6, dtype=torch.uint8)  # not square
    image[:, 1, 4] = 255
    affine = crop_affine(np.array([3.0, 2.0]), 6.0, np.pi / 2, 6)
    crop = cut(image + 100 * (image == 0), affine, 6)
    # (4.5, 1.5) lies (1.5, -0.5) from the centre, which turns to (0.5, 1.5): pixel (3, 4) of the crop
    torch.testing.assert_close(crop[:, 4, 3], torch.ones(3))
    torch.testing.assert_close(crop[:, :, 0], torch.zeros(3, 6))  # the image is four high: nothing left of x = 1
    torch.testing.assert_close(crop[:, 0, 1:5], torch.full((3, 4), 100 / 255))


@pytest.mark.parametrize("angle", [0.0, 0.7, -1.2])
def test_a_point_of_the_image_is_where_its_pixel_goes(angle: float) -> None:
    image = torch.zeros(3, 40, 60, dtype=torch.uint8)
    image[:, 21:24, 33:36] = 255  # around (34.5, 22.5)
    affine = crop_affine(np.array([30.0, 20.0]), 30.0, angle, 90)
    crop = cut(image, affine, 90)[0]
    rows, columns = torch.nonzero(crop > 0.5).double().mean(dim=0) + 0.5
    np.testing.assert_allclose(move(np.array([34.5, 22.5]), affine), [columns, rows], atol=0.3)
