"""Adaptive weights from keypoint distances."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simhand.pretraining.weights import (
    adaptive_weights,
    all_distances,
    linear_weights,
    paired_distances,
    sigmoid_weights,
)

DISTANCES = st.lists(st.floats(0, 500, width=32), min_size=1, max_size=20).map(torch.tensor)


def shifted(by_px: list[float]) -> torch.Tensor:
    """Hands (n, 21, 2) that are one hand moved right by so many px."""
    hand = torch.rand(21, 2, generator=torch.Generator().manual_seed(1)) * 100
    return hand + torch.tensor([[[px, 0.0]] for px in by_px])


def test_distances_are_means_over_joints() -> None:
    first, second = torch.zeros(1, 21, 2), torch.zeros(1, 21, 2)
    second[0, 3] = torch.tensor([3.0, 4.0])  # 5 px off at one of 21 joints
    assert paired_distances(first, second).item() == pytest.approx(5 / 21)
    expected = torch.tensor([[0.0, 5 / 21], [5 / 21, 0.0]])
    torch.testing.assert_close(all_distances(torch.cat([first, second])), expected)


def test_linear_by_hand() -> None:
    torch.testing.assert_close(linear_weights(torch.tensor([2.0, 4.0, 10.0])), torch.tensor([1.0, 0.75, 0.0]))


def test_sigmoid_by_hand() -> None:
    weights = sigmoid_weights(torch.tensor([1.0, 3.0]), slope=0.5)
    expected = [2 / (1 + math.exp(0.5 * (d - 2.0))) for d in (1.0, 3.0)]
    torch.testing.assert_close(weights, torch.tensor(expected))


def test_a_batch_by_hand() -> None:
    first, second = shifted([0, 100]), shifted([10, 130])  # positives are 10 and 30 px apart, the farthest pair 130
    positive, pairs = adaptive_weights(first, second, "linear", (0, 0))
    torch.testing.assert_close(positive, torch.tensor([1.0, 0.0]), atol=1e-5, rtol=0)
    places = torch.tensor([0.0, 100.0, 10.0, 130.0])
    torch.testing.assert_close(pairs, 1 - (places[:, None] - places).abs() / 130, atol=1e-5, rtol=0)


@given(DISTANCES)
def test_linear_stays_in_its_range_and_order(distances: torch.Tensor) -> None:
    weights = linear_weights(distances)
    assert ((weights >= 0) & (weights <= 1)).all()
    assert weights[distances.argmin()] == 1
    assert (weights[distances.argsort()].diff() <= 0).all()


@given(DISTANCES, st.floats(0.001, 10), st.sampled_from([1.0, 2.0]))
def test_sigmoid_stays_in_its_range(distances: torch.Tensor, slope: float, factor: float) -> None:
    weights = sigmoid_weights(distances, slope, factor) / factor
    assert ((weights >= 0) & (weights <= 1)).all()
    assert (weights[distances.argsort()].diff() <= 0).all()


@pytest.mark.parametrize("weighting", ["linear", "sigmoid"])
@pytest.mark.parametrize("hands", [1, 3])
def test_equal_distances_weigh_one(weighting: str, hands: int) -> None:
    same = shifted([0.0] * hands)
    positive, pairs = adaptive_weights(same, same, weighting, (5.0, 0.05))  # type: ignore[arg-type]
    torch.testing.assert_close(positive, torch.ones(hands))
    torch.testing.assert_close(pairs, torch.ones(2 * hands, 2 * hands))


def test_no_gradient_flows_through_weights() -> None:
    first = shifted([0.0, 5.0]).requires_grad_()
    positive, pairs = adaptive_weights(first, shifted([1.0, 9.0]), "linear", (0, 0))
    assert not positive.requires_grad
    assert not pairs.requires_grad
