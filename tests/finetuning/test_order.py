"""Which hands are seen when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simhand.errors import LabelledSetError
from simhand.finetuning.order import Order, Plan
from simhand.pretraining.processes import ALONE, Processes


def keys_of(plan: Plan, first_step: int = 0, seed: int = 0, count: int = 1) -> list[list[tuple[int, int]]]:
    """The keys of each step, those of all processes together."""
    parts = [list(Order(plan, seed, first_step, Processes(count, rank))) for rank in range(count)]
    assert {len(part) for part in parts} == {plan.steps - first_step}
    return [sorted(key for keys in step for key in keys) for step in zip(*parts, strict=True)]


def test_every_epoch_has_all_rows_in_an_order_of_its_own() -> None:
    plan = Plan(hands=50, batch=8, epochs=3)
    assert (plan.steps_per_epoch, plan.steps) == (7, 21)
    steps = list(Order(plan, 0, 0, ALONE))
    assert [len(step) for step in steps] == [8] * 6 + [2] + [8] * 6 + [2] + [8] * 6 + [2]
    epochs = [[key for step in steps[start : start + 7] for key in step] for start in (0, 7, 14)]
    for number, keys in enumerate(epochs):
        assert sorted(keys) == [(number, row) for row in range(50)]
    orders = [[row for _, row in keys] for keys in epochs]
    assert orders[0] != orders[1] != orders[2]
    assert list(Order(plan, 0, 0, ALONE)) == steps != list(Order(plan, 1, 0, ALONE))


@given(st.integers(4, 40), st.integers(4, 12), st.integers(1, 3), st.integers(1, 2))
def test_a_resumed_run_sees_what_is_left(hands: int, batch: int, epochs: int, count: int) -> None:
    plan = Plan(hands, batch, epochs, count)
    whole = keys_of(plan, count=count)
    for first_step in range(plan.steps + 1):
        assert keys_of(plan, first_step, count=count) == whole[first_step:]


@given(st.integers(6, 40), st.integers(6, 12), st.integers(1, 3))
def test_processes_share_what_one_would_see(hands: int, batch: int, count: int) -> None:
    alone, shared = Plan(hands, batch, 2), Plan(hands, batch, 2, count)
    if alone.steps_per_epoch == shared.steps_per_epoch:  # else the last batch is too small to be shared
        assert keys_of(shared, count=count) == keys_of(alone)
    for rank in range(count):
        assert min(len(keys) for keys in Order(shared, 0, 0, Processes(count, rank))) >= 2


def test_a_tiny_last_batch_is_left_out() -> None:
    assert Plan(hands=17, batch=8, epochs=1).steps_per_epoch == 2  # one image has no batch statistics
    assert Plan(hands=18, batch=8, epochs=1).steps_per_epoch == 3
    assert Plan(hands=18, batch=8, epochs=1, processes=2).steps_per_epoch == 2


@pytest.mark.parametrize(("hands", "batch", "processes"), [(1, 8, 1), (3, 8, 2), (100, 3, 2)])
def test_too_few_images_for_a_step_are_refused(hands: int, batch: int, processes: int) -> None:
    with pytest.raises(LabelledSetError, match=f"at least {2 * processes}.*\n.*{hands} training images"):
        Plan(hands, batch, 1, processes)
