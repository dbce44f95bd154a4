"""The official loader's views, by hand; tests/parity compares whole ones with recorded ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageFilter
from torch import Tensor

from simhand.finetuning.augment import View, plain_view
from simhand.finetuning.official_views import invert, official_affine, official_view


@pytest.fixture
def image() -> Tensor:
    return torch.randint(0, 256, (3, 40, 50), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def test_a_square_of_as_many_pixels_is_copied(image: Tensor) -> None:
    found = official_view(image, plain_view(np.array([20.0, 15.0]), 16), 16, inverted=False)
    assert torch.equal(found, image[:, 7:23, 12:28])


def test_each_pixel_is_the_nearest_one(image: Tensor) -> None:
    found = official_view(image, plain_view(np.array([20.0, 16.0]), 24), 8, inverted=False)
    assert torch.equal(found, image[:, 5:28:3, 9:32:3])  # the middle ones of three


def test_a_quarter_turn(image: Tensor) -> None:
    """X turns to y: what was on the right is below."""
    found = official_view(image, View(np.array([20.0, 15.0]), 16, np.pi / 2, ()), 16, inverted=False)
    assert torch.equal(found, image[:, 7:23, 12:28].rot90(-1, (1, 2)))


def test_beyond_the_image_it_is_black(image: Tensor) -> None:
    for inverted in (False, True):
        found = official_view(image, plain_view(np.array([0.0, 0.0]), 16), 16, inverted=inverted)
        assert not found[:, :8].any()
        assert not found[:, :, :8].any()


def test_inverted_colours() -> None:
    levels = torch.tensor([0, 1, 100, 128, 255], dtype=torch.uint8)
    assert invert(levels).tolist() == [0, 255, 156, 128, 1]


def test_colours_are_inverted_first_then_blurred_then_changed_in_their_order(image: Tensor) -> None:
    view = View(np.array([20.0, 15.0]), 16, 0.0, (("brightness", 1.3), ("contrast", 0.7)), blur_px=0.4)
    found = official_view(image, view, 16, inverted=True)
    picture = Image.fromarray((256 - image.permute(1, 2, 0).int().numpy()).astype(np.uint8))
    picture = picture.filter(ImageFilter.GaussianBlur(0.4))
    picture = ImageEnhance.Contrast(ImageEnhance.Brightness(picture).enhance(1.3)).enhance(0.7)
    assert np.array_equal(found.permute(1, 2, 0).numpy(), np.asarray(picture)[7:23, 12:28])


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "hue"])
def test_each_colour_can_change_and_stay(image: Tensor, name: str) -> None:
    square = np.array([20.0, 15.0]), 16, 0.0
    plain = official_view(image, View(*square, ()), 16, inverted=False)
    same = official_view(image, View(*square, ((name, 0.0 if name == "hue" else 1.0),)), 16, inverted=False)
    changed = official_view(image, View(*square, ((name, 0.15 if name == "hue" else 1.4),)), 16, inverted=False)
    assert (same.int() - plain.int()).abs().max() <= (8 if name == "hue" else 0)  # by way of HSV in eight bits
    assert (changed.int() - plain.int()).abs().float().mean() > 5


def test_the_map_is_rounded_to_float32() -> None:
    affine = official_affine(View(np.array([101.0, 77.0]), 123.456, 0.3, ()), 128)
    assert affine.dtype == np.float32
    np.testing.assert_allclose(affine @ [101, 77, 1], [64, 64, 1], atol=1e-4)
    np.testing.assert_allclose(np.linalg.det(affine), (128 / 123.456) ** 2, rtol=1e-6)
