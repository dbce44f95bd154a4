"""Batches: every hand once an epoch, in a new order, and a resumed run goes on where it stopped."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from simhand.pretraining.order import Order, Plan
from simhand.pretraining.schedule import learning_rate
from simhand.pretraining.settings import AugmentationSettings, PretrainingSettings


def test_the_incomplete_batch_is_dropped() -> None:
    plan = Plan(hands=10, wanted_batch=4, epochs=3, warmup_epochs=1)
    assert (plan.batch, plan.steps_per_epoch, plan.steps, plan.warmup_steps) == (4, 2, 6, 2)
    batches = list(Order(plan, seed=0, first_step=0))
    assert [len(batch) for batch in batches] == [4] * 6
    for epoch in range(3):
        seen = [row for batch in batches[2 * epoch : 2 * epoch + 2] for row in batch]
        assert len(set(seen)) == 8
    assert len({tuple(batch) for batch in batches}) == 6


def test_a_small_pool_is_one_batch() -> None:
    plan = Plan(hands=5, wanted_batch=128, epochs=2, warmup_epochs=0)
    assert [sorted(batch) for batch in Order(plan, seed=0, first_step=0)] == [[0, 1, 2, 3, 4]] * 2


@given(st.integers(2, 40), st.integers(2, 12), st.integers(1, 4), st.data())
def test_resuming_continues_the_order(hands: int, batch: int, epochs: int, data: st.DataObject) -> None:
    plan = Plan(hands, batch, epochs, 0)
    whole = list(Order(plan, 3, 0))
    first_step = data.draw(st.integers(0, plan.steps))
    rest = Order(plan, 3, first_step)
    assert list(rest) == whole[first_step:]
    assert len(rest) == len(whole) - first_step


def test_learning_rate_by_hand() -> None:
    rates = [learning_rate(step, 1.0, warmup_steps=3, steps=7) for step in range(7)]
    assert rates == pytest.approx([0, 0.5, 1, 1, 0.5 + 0.5**1.5, 0.5, 0.5 - 0.5**1.5])
    assert learning_rate(0, 1.0, warmup_steps=1, steps=2) == 0
    assert learning_rate(0, 1.0, warmup_steps=0, steps=1) == 1


def test_a_warm_up_that_never_ends_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"warmup_epochs \(10.0\) must be less than epochs \(10\)"):
        PretrainingSettings(method="simclr", pool="any", epochs=10)


@pytest.mark.parametrize("wrong", [{"hue": (1, 0.5)}, {"crop_margin": (0, 1)}, {"value_shift": (-1, 5)}])
def test_ranges_that_are_none_are_refused(wrong: dict[str, tuple[float, float]]) -> None:
    with pytest.raises(ValidationError, match="is no range"):
        AugmentationSettings(**wrong)


def test_processes_share_each_batch() -> None:
    plan = Plan(hands=21, wanted_batch=6, epochs=2, warmup_epochs=0, processes=3)
    whole = list(Order(plan, seed=4, first_step=1))
    parts = [list(Order(plan, 4, 1, slice(start, start + 2))) for start in (0, 2, 4)]
    assert [[row for part in step for row in part] for step in zip(*parts, strict=True)] == whole
    assert Plan(hands=7, wanted_batch=128, epochs=1, warmup_epochs=0, processes=3).batch == 6


def test_officially_hands_are_drawn_with_replacement_and_sources_alike() -> None:
    plan = Plan(hands=4000, wanted_batch=4000, epochs=1, warmup_epochs=0)
    chances = torch.cat([torch.full((1000,), 1 / 1000), torch.full((3000,), 1 / 3000)])
    (rows,) = Order(plan, seed=0, first_step=0, chances=chances)
    counts = np.bincount(rows, minlength=4000)
    assert counts[:1000].sum() == pytest.approx(2000, abs=120)  # half of all from either source
    # of n draws from n equal chances 1 - 1/e are distinct; here 2 draws a hand, and 2/3
    expected = 1000 * (1 - np.exp(-2)) + 3000 * (1 - np.exp(-2 / 3))
    assert (counts > 0).sum() == pytest.approx(expected, abs=100)
