"""Random views of training images."""

from __future__ import annotations

import numpy as np
import pytest

from simhand.finetuning.augment import plain_view, random_view

CENTER = np.array([100.0, 80.0])


def test_the_plain_view_is_the_square_itself() -> None:
    view = plain_view(CENTER, 60.0)
    assert view.center_px is CENTER
    assert (view.side_px, view.rotation_rad, view.colours) == (60.0, 0.0, ())


def test_views_stay_within_their_bounds_and_fill_them() -> None:
    rng = np.random.default_rng(0)
    views = [random_view(CENTER, 200.0, rng) for _ in range(500)]
    shifts = np.array([view.center_px - CENTER for view in views])
    scales = np.array([view.side_px / 200 for view in views])
    turns = np.array([view.rotation_rad for view in views])
    assert np.abs(shifts).max() == 19  # whole pixels below a tenth of 200
    assert (shifts == np.trunc(shifts)).all()
    assert (scales.min(), scales.max()) == pytest.approx((0.9, 1.1))
    assert 0.62 < ((scales > 0.9) & (scales < 1.1)).mean() < 0.74  # of a normal distribution: 68 %
    assert np.pi / 2 - 0.05 < np.abs(turns).max() < np.pi / 2
    for name, low, high in (
        ("brightness", 0.5, 1.5),
        ("contrast", 0.5, 1.5),
        ("saturation", 0.5, 1.5),
        ("hue", -0.15, 0.15),
    ):
        amounts = [dict(view.colours)[name] for view in views]
        assert low <= min(amounts) < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < max(amounts) <= high
    assert {view.colours[0][0] for view in views} == {"brightness", "contrast", "saturation", "hue"}  # any comes first
