"""DetNet's losses, by hand."""

from __future__ import annotations

import pytest
import torch

from simhand.finetuning.losses import heatmap_loss, map_loss


def test_heatmap_loss_by_hand() -> None:
    predicted, target = torch.zeros(2, 21, 2, 2), torch.zeros(2, 21, 2, 2)
    target[0, 3, 0, 0] = 1.0  # joint 3: squared errors 1 of 2 x 4 values
    target[1, 7] = 2.0  # joint 7: 4 x 4 of 8 values
    veil = torch.ones(2, 21)
    assert heatmap_loss(predicted, target, veil).item() == pytest.approx(0.5 * (1 / 8 + 16 / 8))
    veil[1, 7] = 0
    assert heatmap_loss(predicted, target, veil).item() == pytest.approx(0.5 / 8)


def test_map_loss_by_hand() -> None:
    predicted, target = torch.zeros(3, 21, 3, 2, 2), torch.zeros(3, 21, 3)
    attention = torch.zeros(3, 21, 2, 2)
    attention[0, 4, 1, 0], attention[2, 5, 0, 1] = 1.0, 0.5
    target[0, 4] = torch.tensor([1.0, 2.0, 2.0])  # where the attention is: 9
    target[2, 5] = torch.tensor([0.0, 8.0, 0.0])  # halved: 16
    target[1] = 100.0  # nothing looks there
    everyone = torch.tensor([True, True, True])
    assert map_loss(predicted, target, attention, everyone).item() == pytest.approx(5 / 3)
    without_last = torch.tensor([True, True, False])
    assert map_loss(predicted, target, attention, without_last).item() == pytest.approx(3 / 2)


def test_without_labels_there_is_no_loss_and_no_gradient() -> None:
    predicted = torch.randn(2, 21, 3, 2, 2, requires_grad=True)
    loss = map_loss(predicted, torch.ones(2, 21, 3), torch.ones(2, 21, 2, 2), torch.tensor([False, False]))
    loss.backward()
    assert loss.item() == 0.0
    assert predicted.grad is not None
    assert (predicted.grad == 0).all()
