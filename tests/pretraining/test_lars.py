"""LARS over Adam: the scaling by hand, and who is decayed."""

import pytest
import torch
import torchvision
from torch import nn

from simhand.pretraining.lars import LarsAdam, parameter_groups


def scaled_gradient(weight: list[float], gradient: list[float], lr: float, decay: float) -> list[float]:
    parameter = nn.Parameter(torch.tensor(weight, dtype=torch.float32))
    parameter.grad = torch.tensor(gradient, dtype=torch.float32)
    LarsAdam([{"params": [parameter], "decay": decay}], lr=lr).step()
    return parameter.grad.tolist()


def test_a_steep_gradient_is_scaled_down() -> None:
    # |p| = 5, |g| = 10: 0.02 * 5 / (10 + 0.1 * 5) / 0.5 of g + 0.1 p
    factor = 0.02 * 5 / (10 + 0.1 * 5) / 0.5
    assert scaled_gradient([3, 4], [6, 8], 0.5, 0.1) == pytest.approx([6.3 * factor, 8.4 * factor])


def test_a_flat_gradient_is_not_scaled_up() -> None:
    assert scaled_gradient([3, 4], [6e-4, 8e-4], 0.01, 0.0) == pytest.approx([6e-4, 8e-4])


@pytest.mark.parametrize(("weight", "gradient"), [([0, 0], [6, 8]), ([3, 4], [0, 0])])
def test_zeros_are_left_alone(weight: list[float], gradient: list[float]) -> None:
    assert scaled_gradient(weight, gradient, 0.5, 0.1) == gradient


def test_at_a_rate_of_zero_nothing_is_scaled() -> None:
    assert scaled_gradient([3, 4], [6, 8], 0.0, 0.1) == pytest.approx([6.3, 8.4])


def test_biases_and_all_batch_norms_are_not_decayed() -> None:
    model = nn.Sequential(torchvision.models.resnet18(), nn.BatchNorm1d(1000))
    decayed, free = parameter_groups(model.named_parameters(), 0.5)
    assert (decayed["decay"], free["decay"]) == (0.5, 0.0)
    kinds = (nn.Conv2d, nn.Linear)
    expected = {id(layer.weight) for layer in model.modules() if isinstance(layer, kinds)}
    assert {id(parameter) for parameter in decayed["params"]} == expected
    assert len(decayed["params"]) + len(free["params"]) == len(list(model.parameters()))
