"""Views: pixels and keypoints move together, colours change as asked, and draws repeat."""

import colorsys
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from simhand.pretraining.augment import IMAGENET_MEAN, IMAGENET_STD, Draws, draw, make_views
from simhand.pretraining.colour import hsv_to_rgb, jitter_colour, rgb_to_hsv
from simhand.pretraining.inverse import undo_view
from simhand.pretraining.randomness import generator
from simhand.pretraining.settings import AugmentationSettings
from simhand.pretraining.warp import warp_images

SIZE = 128
SOURCE = 224
COLOURS = st.tuples(*[st.integers(0, 255).map(lambda level: level / 255)] * 3)
NO_COLOUR = AugmentationSettings(hue=(1, 1), saturation=(1, 1), value=(1, 1), value_shift=(0, 0))


def draws_of(count: int, seed: int, equivariant: bool = True) -> Draws:
    return draw(count, NO_COLOUR, equivariant, generator(seed, "views", 0))


def hands(count: int, seed: int, radius_px: float = 55.0) -> Tensor:
    """Keypoints (count, 21, 2) around the middle of a crop."""
    return SOURCE / 2 + (torch.rand(count, 21, 2, generator=torch.Generator().manual_seed(seed)) - 0.5) * 2 * radius_px


def dot_at(point: Tensor) -> Tensor:
    """A white spot of 3 px deviation on black, uint8 (3, S, S)."""
    centres = torch.arange(SOURCE) + 0.5
    x, y = (torch.exp(-(((centres - point[axis]) / 3) ** 2) / 2) for axis in (0, 1))
    return (255 * y[:, None] * x).round().to(torch.uint8).expand(3, -1, -1)


def brightness(images: Tensor) -> Tensor:
    """Views (n, 3, s, s) as grey (n, s, s) in [0, 1]."""
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (IMAGENET_MEAN, IMAGENET_STD))
    return (images * std + mean).mean(dim=1)


def centre_of(image: Tensor) -> Tensor:
    """Where the light lies in (s, s), in px from the upper left corner."""
    places = torch.arange(len(image)) + 0.5
    weights = image.clamp_min(0)
    return torch.stack([(weights.sum(0) * places).sum(), (weights.sum(1) * places).sum()]) / weights.sum()


@pytest.mark.parametrize("equivariant", [True, False])
def test_a_dot_at_a_keypoint_moves_with_it(equivariant: bool) -> None:
    count = 40
    keypoints = hands(count, seed=2)
    crops = torch.stack([dot_at(points[joint % 21]) for joint, points in enumerate(keypoints)])
    views = make_views(crops, keypoints, draws_of(count, 3, equivariant), SIZE)
    for number, image in enumerate(brightness(views.images)):
        expected = views.keypoints_px[number, number % 21]
        if ((expected > 12) & (expected < SIZE - 12)).all():  # the whole spot is in view
            assert torch.dist(centre_of(image), expected) < 0.1
    assert ((views.keypoints_px > 12) & (views.keypoints_px < SIZE - 12)).float().mean() > 0.5


def test_matrix_by_hand() -> None:
    keypoints = torch.full((1, 21, 2), 100.0)
    keypoints[0, 0], keypoints[0, 1] = torch.tensor([60.0, 100.0]), torch.tensor([140.0, 100.0])  # radius 40
    draws = replace(draws_of(1, 0), angle_deg=torch.tensor([90.0]), margin=torch.tensor([1.6]))
    draws = replace(draws, jitter_px=torch.tensor([[8.0, 4.0]]))
    views = make_views(torch.zeros(1, 3, SOURCE, SOURCE, dtype=torch.uint8), keypoints, draws, SIZE)
    # the square has a side of 2 * 1.6 * 40 = 128 px, its corner at (100 - 64 + 8, 100 - 64 + 4) = (44, 40)
    # a quarter turn counter-clockwise takes the joint on the left down, the one on the right up
    expected = torch.tensor([[56.0, 100.0], [56.0, 20.0], [56.0, 60.0]])
    torch.testing.assert_close(views.keypoints_px[0, :3], expected)
    torch.testing.assert_close(views.shift, torch.tensor([[8 / 128, 4 / 128]]))


def test_the_latent_inverse_undoes_rotation_and_shift() -> None:
    # Points that fill the view, seen through a view, are brought back to those of the plain view by the inverse.
    keypoints, crops = hands(1, seed=5), torch.zeros(1, 3, SOURCE, SOURCE, dtype=torch.uint8)
    keypoints[0] -= keypoints[0].mean(0) - SOURCE / 2
    turned = replace(draws_of(1, 0), angle_deg=torch.tensor([30.0]), jitter_px=torch.zeros(1, 2))
    plain = replace(turned, angle_deg=torch.zeros(1))
    seen, wanted = (make_views(crops, keypoints, each, SIZE).keypoints_px.flatten(1) for each in (turned, plain))
    undone = undo_view(seen, turned.angle_deg, torch.zeros(1, 2))
    torch.testing.assert_close(undone, torch.nn.functional.normalize(wanted, dim=1))
    moved = replace(plain, jitter_px=torch.tensor([[14.0, 3.0]]))
    views = make_views(crops, keypoints, moved, SIZE)
    # a shift in sides of the view is undone exactly where the points span the view
    corners = torch.tensor([[0.0, 0.0, SIZE, SIZE]])
    back = undo_view(corners, torch.zeros(1), views.shift)
    expected = corners + views.shift.repeat(1, 2) * SIZE
    torch.testing.assert_close(back, torch.nn.functional.normalize(expected, dim=1))
    torch.testing.assert_close(views.keypoints_px + views.shift[:, None] * SIZE, wanted.view(1, 21, 2))


def test_fine_stripes_do_not_alias() -> None:
    stripes = torch.zeros(1, 3, SOURCE, SOURCE)
    stripes[..., ::2] = 1.0
    matrices = torch.tensor([[[SIZE / 219.0, 0, 0], [0, SIZE / 219.0, 0]]])
    inner = warp_images(stripes, matrices, SIZE)[0, 0, 4:-4, 4:-4]
    assert inner.mean() == pytest.approx(0.5, abs=0.01)
    # bilinear sampling alone shows a strong pattern (deviation 0.3) where there is even grey
    assert inner.std() < 0.1


def test_outside_is_black_and_size_is_kept() -> None:
    keypoints = hands(1, seed=0, radius_px=110)
    draws = replace(draws_of(1, 0), margin=torch.tensor([1.5]), angle_deg=torch.zeros(1), jitter_px=torch.zeros(1, 2))
    views = make_views(torch.full((1, 3, SOURCE, SOURCE), 255, dtype=torch.uint8), keypoints, draws, SIZE)
    grey = brightness(views.images)[0]
    assert grey[0].max() == pytest.approx(0, abs=1e-5)
    assert grey[SIZE // 2, SIZE // 2] == pytest.approx(1, abs=1e-5)


@given(COLOURS)
def test_hsv_is_that_of_the_standard_library(rgb: tuple[float, float, float]) -> None:
    image = torch.tensor(rgb).view(1, 3, 1, 1)
    hue, saturation, value = (each.item() for each in rgb_to_hsv(image))
    expected = colorsys.rgb_to_hsv(*rgb)
    assert (hue / 6 - expected[0] + 0.5) % 1 == pytest.approx(0.5, abs=1e-4)  # red is 0 and a full turn
    assert (saturation, value) == pytest.approx(expected[1:], abs=1e-5)
    torch.testing.assert_close(hsv_to_rgb(*rgb_to_hsv(image)), image, atol=1e-5, rtol=0)


@settings(max_examples=50)
@given(COLOURS, st.tuples(*[st.floats(0, 1)] * 3), st.floats(0, 200))
def test_colour_jitter(rgb: tuple[float, ...], factors: tuple[float, ...], shift: float) -> None:
    image = torch.tensor(rgb).view(1, 3, 1, 1)
    parameters = [torch.tensor([each]) for each in (*factors, shift)]
    got = jitter_colour(image, *parameters).flatten().tolist()
    h, s, v = colorsys.rgb_to_hsv(*rgb)
    changed = colorsys.hsv_to_rgb(h * factors[0], s * factors[1], min(v * factors[2] + shift / 255, 1))
    # at a red hue the smallest error turns 0 into a full turn, which a factor then does not undo
    if 1e-3 < h < 1 - 1e-3:
        assert got == pytest.approx(changed, abs=1e-3)


def test_draws_stay_in_their_ranges() -> None:
    ranges = AugmentationSettings()
    draws = draw(5000, ranges, True, generator(0, "views", 7))
    limits = {
        "angle_deg": (-45.0, 45.0),
        "margin": ranges.crop_margin,
        "jitter_px": (0.0, 15.0),
        "hue": ranges.hue,
        "saturation": ranges.saturation,
        "value": ranges.value,
        "value_shift": ranges.value_shift,
    }
    for field in fields(draws):
        values, (low, high) = getattr(draws, field.name), limits[field.name]
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high >= values.max() > high - 0.01 * (high - low)
    columns = torch.column_stack([getattr(draws, field.name) for field in fields(draws)])
    correlation = np.corrcoef(columns.T.numpy()) - np.eye(8)
    assert np.abs(correlation).max() < 0.06  # drawn independently


def test_simclr_neither_turns_nor_draws_a_margin() -> None:
    draws = draw(50, AugmentationSettings(), False, generator(0, "views", 7))
    assert (draws.angle_deg == 0).all()
    assert (draws.margin == 1.25).all()
    assert draws.jitter_px.std() > 1


def test_the_same_step_draws_the_same_views() -> None:
    first, again, later = (draw(4, AugmentationSettings(), True, generator(1, "views", step)) for step in (3, 3, 4))
    other = draw(4, AugmentationSettings(), True, generator(2, "views", 3))
    assert torch.equal(first.hue, again.hue)
    assert not torch.equal(first.hue, later.hue)
    assert not torch.equal(first.hue, other.hue)


def test_a_view_does_not_depend_on_the_batch_it_is_in() -> None:
    keypoints, draws = hands(20, seed=4), draws_of(20, 9)
    crops = torch.randint(
        0, 256, (20, 3, SOURCE, SOURCE), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )
    whole = make_views(crops, keypoints, draws, SIZE)
    last = Draws(*(getattr(draws, field.name)[19:] for field in fields(draws)))
    alone = make_views(crops[19:], keypoints[19:], last, SIZE)
    torch.testing.assert_close(whole.images[19:], alone.images)
