"""Views: pixels and keypoints move together, colours change as asked, and draws repeat."""

import colorsys
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from simhand.pretraining.augment import IMAGENET_MEAN, IMAGENET_STD, Draws, draw, make_views
from simhand.pretraining.colour import hue_chroma_value, jitter_colour, to_rgb
from simhand.pretraining.inverse import undo_view
from simhand.pretraining.prefilter import halve, halvings, smooth
from simhand.pretraining.randomness import generator
from simhand.pretraining.settings import AugmentationSettings, PretrainingSettings
from simhand.pretraining.warp import warp_images

SIZE = 128
SOURCE = 224
COLOURS = st.tuples(*[st.integers(0, 255)] * 3)
NO_COLOUR = AugmentationSettings(hue=(1, 1), saturation=(1, 1), value=(1, 1), value_shift=(0, 0))


def run_of(method: str, **changes: Any) -> PretrainingSettings:
    return PretrainingSettings(method=method, pool="p", **changes)


def draws_of(count: int, seed: int, method: str = "simhand") -> Draws:
    return draw(count, run_of(method, augmentation=NO_COLOUR), generator(seed, "views", 0))


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


# Official views round to whole px of the crop, and place a pixel's centre half a px elsewhere.
@pytest.mark.parametrize(("behaviour", "off_px"), [("paper", 0.1), ("official", 1.0)])
@pytest.mark.parametrize("method", ["simhand", "simclr"])
def test_a_dot_at_a_keypoint_moves_with_it(method: str, behaviour: str, off_px: float) -> None:
    count = 40
    keypoints = hands(count, seed=2)
    crops = torch.stack([dot_at(points[joint % 21]) for joint, points in enumerate(keypoints)])
    views = make_views(crops, keypoints, draws_of(count, 3, method), SIZE, behaviour)
    for number, image in enumerate(brightness(views.images)):
        expected = views.keypoints_px[number, number % 21]
        if ((expected > 12) & (expected < SIZE - 12)).all():  # the whole spot is in view
            assert torch.dist(centre_of(image), expected) < off_px
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
    # as if the crop of 224 px were resized to 128
    torch.testing.assert_close(views.crop_keypoints_px, keypoints * 128 / 224)


def test_official_geometry_by_hand() -> None:
    keypoints = torch.full((1, 21, 2), 40.9)
    keypoints[0, 0, 0], keypoints[0, 1, 0] = 10.9, 70.9
    draws = replace(draws_of(1, 0), angle_deg=torch.tensor([-0.5]), margin=torch.tensor([1.5]))
    draws = replace(draws, jitter_px=torch.tensor([[8.9, 4.9]]))
    turned = make_views(torch.zeros(1, 3, SOURCE, SOURCE, dtype=torch.uint8), keypoints, draws, SIZE, "official")
    assert turned.angle_deg.tolist() == [-1]
    draws = replace(draws, angle_deg=torch.tensor([0.5]))
    views = make_views(torch.zeros(1, 3, 80, 80, dtype=torch.uint8), keypoints, draws, SIZE, "official")
    # centre (40, 40), farthest joint 30.91 px away, half side int(46.4) = 46; the box starts at (40 - 46 + 8, 40 - 46 +
    # 4) = (2, -2), is moved to (2, 0), by 8 and 6 px in all, and ends at the border: 78 x 80 px
    assert views.angle_deg.tolist() == [0]
    torch.testing.assert_close(views.shift, torch.tensor([[8 / 128, 6 / 128]]))
    expected = torch.tensor([[8.9 * 128 / 78, 40.9 * 128 / 80], [68.9 * 128 / 78, 40.9 * 128 / 80]])
    torch.testing.assert_close(views.keypoints_px[0, :2], expected)


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


# Stripes of 3 px can be shown at scales up to 1.5: all of these are finer than that.
@pytest.mark.parametrize("period", [2, 3])
@pytest.mark.parametrize("angle_deg", [0, 20, 45])
@pytest.mark.parametrize("scale", [1.711, 1.95, 2.05, 2.6, 3.4])
def test_fine_stripes_do_not_alias(scale: float, angle_deg: float, period: int) -> None:
    side = 600
    stripes = ((torch.arange(side) % period) * 255 / (period - 1)).expand(1, 3, side, side)
    cos, sin = (function(torch.deg2rad(torch.tensor(angle_deg))) / scale for function in (torch.cos, torch.sin))
    middle = torch.tensor([[SIZE / 2], [SIZE / 2]])
    linear = torch.stack([torch.stack([cos, sin]), torch.stack([-sin, cos])])
    matrices = torch.cat([linear, middle - linear @ torch.full((2, 1), side / 2)], dim=1)[None]
    inner = warp_images(stripes, matrices, SIZE)[0, 0, 4:-4, 4:-4]
    assert inner.mean() == pytest.approx(127.5, abs=2.55)
    # bilinear sampling alone shows a strong pattern (deviation 74) where there is even grey; where a view's pixel is
    # just above 2 wide, stripes of 3 px keep the third of their contrast that a mean over its area would leave
    assert inner.std() < (25 if period == 2 else 40)


def test_a_smooth_image_stays_what_it_is() -> None:
    """However much it shrinks, and whichever way it is prepared, no pixel moves and nothing gets darker."""
    x, y = torch.meshgrid(torch.arange(SOURCE) + 0.5, torch.arange(SOURCE) + 0.5, indexing="xy")
    ramp = torch.stack([x, y, (x + y) / 2])[None]
    for scale in (0.5, 1.0, 1.3, 1.9, 2.3, 3.3, 5.0):
        matrices = torch.tensor([[[1 / scale, 0, 4.0], [0, 1 / scale, 2.0]]])
        size = int(SOURCE / scale) // 2
        inner = warp_images(ramp, matrices, size)[0, :, 10:-4, 10:-4]
        places = torch.arange(size)[10:-4] + 0.5
        expected_x, expected_y = torch.meshgrid((places - 4) * scale, (places - 2) * scale, indexing="xy")
        expected = torch.stack([expected_x, expected_y, (expected_x + expected_y) / 2])
        torch.testing.assert_close(inner, expected, atol=2e-3, rtol=0)


def test_prefilter_by_hand() -> None:
    scale = torch.tensor([0.5, 1.0, 1.5, 2.0, 2.01, 4.0, 4.1])
    assert halvings(scale).tolist() == [0, 0, 0, 0, 1, 1, 2]
    dot = torch.zeros(1, 1, 5, 5, dtype=torch.uint8)
    dot[0, 0, 2, 2] = 64
    smoothed = smooth(dot.expand(3, -1, -1, -1), torch.tensor([1.0, 1.4, 2.0]))
    along = torch.tensor([[0, 1, 0], [0.1, 0.8, 0.1], [0.25, 0.5, 0.25]])
    expected = 64 * along[:, :, None] * along[:, None, :]
    torch.testing.assert_close(smoothed[:, 0, 1:4, 1:4], expected)
    assert smoothed.sum(dim=(1, 2, 3)).tolist() == pytest.approx([64, 64, 64])
    halved = halve(torch.arange(9, dtype=torch.uint8).view(1, 1, 3, 3))
    assert halved[0, 0].tolist() == [[2.0, 1.75], [3.25, 2.0]]  # (0 + 1 + 3 + 4) / 4, (2 + 5) / 4, (6 + 7) / 4, 8 / 4


def test_outside_is_black_and_size_is_kept() -> None:
    keypoints = hands(1, seed=0, radius_px=110)
    draws = replace(draws_of(1, 0), margin=torch.tensor([1.5]), angle_deg=torch.zeros(1), jitter_px=torch.zeros(1, 2))
    views = make_views(torch.full((1, 3, SOURCE, SOURCE), 255, dtype=torch.uint8), keypoints, draws, SIZE)
    grey = brightness(views.images)[0]
    assert grey[0].max() == pytest.approx(0, abs=1e-5)
    assert grey[SIZE // 2, SIZE // 2] == pytest.approx(1, abs=1e-5)


@given(COLOURS)
def test_hsv_is_that_of_the_standard_library(rgb: tuple[int, ...]) -> None:
    image = torch.tensor(rgb, dtype=torch.float32).view(1, 3, 1, 1)
    hue, chroma, value = (each.item() for each in hue_chroma_value(image))
    expected = colorsys.rgb_to_hsv(*(level / 255 for level in rgb))
    if chroma > 0:
        assert (hue / 6 - expected[0] + 0.5) % 1 == pytest.approx(0.5, abs=1e-4)  # red is 0 and a full turn
    assert value == max(rgb)
    assert chroma == max(rgb) - min(rgb)
    torch.testing.assert_close(to_rgb(*hue_chroma_value(image)), image, atol=1e-3, rtol=0)


@settings(max_examples=50)
@given(COLOURS, st.tuples(st.floats(0, 1), st.floats(0, 1.5), st.floats(0, 1.5)), st.floats(-20, 200))
def test_colour_jitter(rgb: tuple[int, ...], factors: tuple[float, ...], shift: float) -> None:
    image = torch.tensor(rgb, dtype=torch.float32).view(1, 3, 1, 1)
    parameters = [torch.tensor([each]) for each in (*factors, shift)]
    got = jitter_colour(image, *parameters).flatten().tolist()
    h, s, v = colorsys.rgb_to_hsv(*(level / 255 for level in rgb))
    value = min(max(v * factors[2] + shift / 255, 0), 1)
    changed = colorsys.hsv_to_rgb(h * factors[0], min(s * factors[1], 1), value)
    # at a red hue the smallest error turns 0 into a full turn, which a factor then does not undo
    if 1e-3 < h < 1 - 1e-3 or s == 0:
        assert got == pytest.approx([255 * level for level in changed], abs=0.1)


def test_hues_beyond_a_full_turn_are_red() -> None:
    blue = torch.tensor([0.0, 0.0, 200.0]).view(1, 3, 1, 1)  # two thirds of a turn
    factors = [torch.tensor([each]) for each in (1.6, 1.0, 1.0, 0.0)]
    torch.testing.assert_close(jitter_colour(blue, *factors).flatten(), torch.tensor([200.0, 0.0, 0.0]))


def test_draws_stay_in_their_ranges() -> None:
    ranges = AugmentationSettings()
    draws = draw(5000, run_of("simhand"), generator(0, "views", 7))
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


def test_what_simclr_leaves_out() -> None:
    paper, official = (
        draw(50, run_of("simclr", behaviour=behaviour), generator(0, "views", 7)) for behaviour in ("paper", "official")
    )
    assert (paper.angle_deg == 0).all()
    assert (paper.jitter_px == 0).all()
    assert 0.9 <= paper.margin.min() < 1
    assert 1.4 < paper.margin.max() <= 1.5
    assert (official.angle_deg == 0).all()
    assert (official.margin == 1.25).all()
    assert official.jitter_px.std() > 1


def test_methods_and_behaviours_share_their_draws() -> None:
    methods = ("simclr", "peclr", "tempclr", "simhand")
    runs = [run_of(method, behaviour=behaviour) for method in methods for behaviour in ("paper", "official")]
    simclr, simclr_official, *others = [draw(5, run, generator(0, "views", 7)) for run in runs]
    for other in others:
        assert all(torch.equal(getattr(other, field.name), getattr(others[0], field.name)) for field in fields(other))
        assert torch.equal(other.colours, simclr.colours)
    assert torch.equal(others[0].margin, simclr.margin)
    assert torch.equal(others[0].jitter_px, simclr_official.jitter_px)


def test_the_same_step_draws_the_same_views() -> None:
    run = run_of("peclr")
    first, again, later = (draw(4, run, generator(1, "views", step)) for step in (3, 3, 4))
    other = draw(4, run, generator(2, "views", 3))
    assert torch.equal(first.hue, again.hue)
    assert not torch.equal(first.hue, later.hue)
    assert not torch.equal(first.hue, other.hue)


@pytest.mark.parametrize("behaviour", ["paper", "official"])
def test_a_view_does_not_depend_on_the_batch_it_is_in(behaviour: str) -> None:
    keypoints, draws = hands(20, seed=4), draws_of(20, 9)
    keypoints[::3] = hands(20, seed=4, radius_px=100)[::3]  # some are halved first
    noise = torch.randint(
        0, 256, (20, 3, SOURCE, SOURCE), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )
    whole = make_views(noise, keypoints, draws, SIZE, behaviour)
    for row in (17, 18, 19):
        own = Draws(*(getattr(draws, field.name)[row : row + 1] for field in fields(draws)))
        alone = make_views(noise[row : row + 1], keypoints[row : row + 1], own, SIZE, behaviour)
        for field in fields(whole):
            torch.testing.assert_close(getattr(whole, field.name)[row : row + 1], getattr(alone, field.name))
