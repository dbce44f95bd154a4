"""Adaptive weights from keypoint distances."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simhand.pretraining.distances import all_distances, paired_distances
from simhand.pretraining.settings import PretrainingSettings
from simhand.pretraining.weights import adaptive_weights, linear_weights, sigmoid_weights

MakeSettings = Callable[..., PretrainingSettings]
HANDS = st.integers(1, 6).flatmap(
    lambda hands: st.lists(st.floats(0, 500, width=32), min_size=2 * hands, max_size=2 * hands)
)


def settings_of(weighting: str = "linear", **changes: Any) -> PretrainingSettings:
    return PretrainingSettings.model_validate({"method": "simhand", "pool": "any", "weighting": weighting, **changes})


def shifted(by_px: list[float]) -> torch.Tensor:
    """Hands (n, 21, 2) that are one hand moved right by so many px."""
    hand = torch.rand(21, 2, generator=torch.Generator().manual_seed(1)) * 100
    return hand + torch.tensor([[[px, 0.0]] for px in by_px])


# A batch of two pairs whose hands stand at 0, 100 and 10, 130 px: positives are 10 and 30 px apart, distances between
# distinct hands run from 10 to 130 px, and their mean is 80 px.
FIRST, SECOND = shifted([0, 100]), shifted([10, 130])
PLACES = torch.tensor([0.0, 100.0, 10.0, 130.0])
APART = (PLACES[:, None] - PLACES).abs()


def close(one: torch.Tensor | None, other: torch.Tensor) -> None:
    assert one is not None
    torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


def test_distances_are_means_over_joints() -> None:
    first, second = torch.zeros(1, 21, 2), torch.zeros(1, 21, 2)
    second[0, 3] = torch.tensor([3.0, 4.0])  # 5 px off at one of 21 joints
    assert paired_distances(first, second).item() == pytest.approx(5 / 21)
    both = torch.cat([first, second])
    close(all_distances(both, both), torch.tensor([[0.0, 5 / 21], [5 / 21, 0.0]]))


def test_all_distances_in_blocks_are_those_of_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    random = torch.Generator().manual_seed(0)
    own, everyone = torch.rand(7, 21, 2, generator=random), torch.rand(11, 21, 2, generator=random)
    monkeypatch.setattr("simhand.pretraining.blocks._ELEMENTS", {"cpu": 25})  # two rows at a time
    close(
        all_distances(own, everyone),
        torch.stack([paired_distances(own, each.expand(7, -1, -1)) for each in everyone], 1),
    )


def test_linear_by_hand() -> None:
    weights = linear_weights(torch.tensor([2.0, 4.0, 10.0]), torch.tensor(2.0), torch.tensor(10.0))
    close(weights, torch.tensor([1.0, 0.75, 0.0]))


def test_sigmoid_by_hand() -> None:
    weights = sigmoid_weights(torch.tensor([1.0, 3.0]), torch.tensor(2.0), slope=0.5, factor=2.0)
    close(weights, torch.tensor([2 / (1 + math.exp(0.5 * (d - 2.0))) for d in (1.0, 3.0)]))


def test_linear_has_one_scale_for_the_batch() -> None:
    positive, pairs = adaptive_weights(FIRST, SECOND, settings_of())
    close(positive, (130 - torch.tensor([10.0, 30.0])) / 120)
    expected = ((130 - APART) / 120).fill_diagonal_(1.0)  # of a hand with itself: it does not matter
    close(pairs, expected)


def test_official_linear_has_two_scales_and_counts_hands_with_themselves() -> None:
    positive, pairs = adaptive_weights(FIRST, SECOND, settings_of(behaviour="official"))
    close(positive, torch.tensor([1.0, 0.0]))
    close(pairs, 1 - APART / 130)


@pytest.mark.parametrize(("behaviour", "factor", "mean"), [("paper", 2, 80.0), ("official", 1, 60.0)])
def test_sigmoid_in_both_behaviours(behaviour: str, factor: float, mean: float) -> None:
    settings = settings_of("sigmoid", sigmoid_lambda=(0.5, 0.02), behaviour=behaviour)
    positive, pairs = adaptive_weights(FIRST, SECOND, settings)
    close(positive, factor * torch.sigmoid(-0.5 * (torch.tensor([10.0, 30.0]) - 20)))
    close(pairs, factor * torch.sigmoid(-0.02 * (APART - mean)))


def test_only_what_is_weighted_gets_weights() -> None:
    positive, pairs = adaptive_weights(FIRST, SECOND, settings_of(weighted_pairs="positives"))
    assert positive is not None
    assert pairs is None
    positive, pairs = adaptive_weights(FIRST, SECOND, settings_of(weighted_pairs="negatives"))
    assert positive is None
    assert pairs is not None


@given(HANDS)
def test_linear_stays_in_its_range_and_order(places: list[float]) -> None:
    first, second = shifted(places).chunk(2)
    positive, pairs = adaptive_weights(first, second, settings_of())
    assert positive is not None
    assert pairs is not None
    for weights, distances in ((positive, paired_distances(first, second)), (pairs.flatten(), None)):
        assert ((weights >= 0) & (weights <= 1)).all()
        if distances is not None:
            assert (weights[distances.argsort()].diff() <= 1e-5).all()
    distinct = pairs[~torch.eye(len(pairs), dtype=torch.bool)]
    assert distinct.max() == pytest.approx(1, abs=1e-5)  # the nearest two


@given(HANDS, st.floats(0.001, 10))
def test_sigmoid_stays_in_its_range(places: list[float], slope: float) -> None:
    settings = settings_of("sigmoid", sigmoid_lambda=(slope, slope))
    for weights in adaptive_weights(*shifted(places).chunk(2), settings):
        assert weights is not None
        assert ((weights >= 0) & (weights <= 2)).all()


@pytest.mark.parametrize("weighting", ["linear", "sigmoid"])
@pytest.mark.parametrize("hands", [1, 3])
def test_equal_distances_weigh_one(weighting: str, hands: int) -> None:
    same = shifted([0.0] * hands)
    positive, pairs = adaptive_weights(same, same, settings_of(weighting))
    close(positive, torch.ones(hands))
    close(pairs, torch.ones(2 * hands, 2 * hands))


def test_officially_equal_distances_divide_zero_by_zero() -> None:
    same = shifted([0.0] * 3)
    positive, _ = adaptive_weights(same, same, settings_of(behaviour="official"))
    assert positive is not None
    assert positive.isnan().all()


def test_no_gradient_flows_through_weights() -> None:
    first = shifted([0.0, 5.0]).requires_grad_()
    positive, pairs = adaptive_weights(first, shifted([1.0, 9.0]), settings_of())
    assert positive is not None
    assert pairs is not None
    assert not positive.requires_grad
    assert not pairs.requires_grad


def test_distances_that_differ_in_kind_are_not_put_on_one_scale() -> None:
    with pytest.raises(ValueError, match="needs behaviour: official"):
        settings_of(weight_distance="w_abs")
    assert settings_of(weight_distance="w_abs", behaviour="official").weight_distance == "w_abs"
