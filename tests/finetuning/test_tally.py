"""What a run remembers besides weights."""

from __future__ import annotations

import pytest

from simhand.finetuning.tally import Best, Tally


def test_means_are_over_images_not_steps() -> None:
    tally = Tally()
    tally.add(30, {"loss": 1.0, "mpjpe_mm": 10.0})
    tally.add(10, {"loss": 5.0, "mpjpe_mm": 50.0})
    assert tally.take() == {"loss": 2.0, "mpjpe_mm": 20.0}
    tally.add(2, {"loss": 7.0})
    assert tally.take() == {"loss": 7.0}  # an epoch of its own


def test_a_tally_goes_on_from_a_checkpoint() -> None:
    interrupted, resumed = Tally(), Tally()
    interrupted.add(30, {"loss": 1.0})
    resumed.load_state_dict(interrupted.state_dict())
    resumed.add(10, {"loss": 5.0})
    assert resumed.take() == {"loss": 2.0}
    assert interrupted.take() == {"loss": 1.0}  # untouched


def test_the_best_epoch_is_the_first_of_the_lowest_error() -> None:
    best = Best()
    assert [best.better(error, epoch) for epoch, error in enumerate([9.0, 7.0, 8.0, 7.0, 6.5], 1)] == [
        True,
        True,
        False,
        False,
        True,
    ]
    again = Best()
    again.load_state_dict(best.state_dict())
    assert (again.error_mm, again.epoch) == (pytest.approx(6.5), 5)
