"""The loss on numbers small enough to compute by hand, with weights and without (NT-Xent)."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from simhand.pretraining.weighted_nt_xent import weighted_nt_xent


def nt_xent(first: torch.Tensor, second: torch.Tensor, temperature: float) -> torch.Tensor:
    return weighted_nt_xent(first, second, None, None, temperature)


def test_orthogonal_pairs() -> None:
    axes = torch.eye(2, dtype=torch.float64)
    # The positive has similarity 1, both negatives 0: -log(e^2 / (e^2 + 1 + 1)) with 1 / tau = 2.
    assert nt_xent(axes, axes, 0.5).item() == pytest.approx(math.log(1 + 2 * math.exp(-2)))


def test_pairs_that_disagree() -> None:
    first = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    second = torch.tensor([[0.6, 0.8], [0.0, 1.0]], dtype=torch.float64)
    # similarities: a-c 0.6 (positive), b-d 1 (positive), a-b 0, a-d 0, b-c 0.8, c-d 0.8; tau 1
    e = math.exp
    terms = [
        -math.log(e(0.6) / (e(0.6) + 2)),  # a against c, b, d
        -math.log(e(1.0) / (e(1.0) + 1 + e(0.8))),  # b against d, a, c
        -math.log(e(0.6) / (e(0.6) + 2 * e(0.8))),  # c against a, b, d
        -math.log(e(1.0) / (e(1.0) + 1 + e(0.8))),  # d against b, a, c
    ]
    assert nt_xent(first, second, 1.0).item() == pytest.approx(sum(terms) / 4)


def test_a_single_pair_has_nothing_to_tell_apart() -> None:
    first, second = normalize(torch.randn(2, 1, 6, generator=torch.Generator().manual_seed(0)), dim=-1)
    assert nt_xent(first, second, 0.5).item() == pytest.approx(0, abs=1e-6)


def test_weights_stand_inside_the_exponents() -> None:
    axes = torch.eye(2, dtype=torch.float64)
    pairs = torch.full((4, 4), 0.5, dtype=torch.float64)
    loss = weighted_nt_xent(axes, axes, torch.tensor([1.0, 0.25]).double(), pairs, 0.5)
    # numerators exp(2) and exp(0.5); every denominator exp(0.5 * 2) + 1 + 1
    assert loss.item() == pytest.approx(math.log(math.e + 2) - (2 + 0.5) / 2)


@given(st.integers(1, 6), st.floats(0.1, 2.0), st.integers(0, 1000))
def test_weights_of_one_change_nothing(pairs: int, temperature: float, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    first, second = normalize(torch.randn(2, pairs, 6, generator=random, dtype=torch.float64), dim=-1)
    ones = torch.ones(2 * pairs, 2 * pairs, dtype=torch.float64)
    weighted = weighted_nt_xent(first, second, ones[0, :pairs], ones, temperature)
    assert weighted.item() == pytest.approx(nt_xent(first, second, temperature).item(), abs=1e-9)
