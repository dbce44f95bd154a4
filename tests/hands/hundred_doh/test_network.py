from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from simhand.hands.hundred_doh.network import HundredDohNet, fold_batch_norm
from simhand.hands.hundred_doh.preprocessing import make_blob


@pytest.fixture(scope="module")
def blob(make_frame: Callable[..., np.ndarray]) -> Tensor:
    return make_blob(torch.from_numpy(make_frame(0, 48)[None]))[:, :, :, :400]


@pytest.fixture(scope="module")
def folded(network: HundredDohNet) -> HundredDohNet:
    folded = copy.deepcopy(network)
    fold_batch_norm(folded)
    return folded


@torch.inference_mode()
def answers(network: HundredDohNet, blob: Tensor) -> dict[str, Tensor]:
    features = network.features(blob)
    regions = torch.tensor([[0.0, 10, 5, 120, 40], [0, 200, 0, 399, 47], [0, 0, 0, 0, 0]])
    seen = network.region_features(features, regions)
    proposed = network.RCNN_rpn(features)
    named = zip(("rpn scores", "rpn deltas"), proposed, strict=True)
    return {"features": features, "region features": seen, **dict(named), "sides": network.sides(seen)}


def test_folded_batch_norms_change_nothing(network: HundredDohNet, folded: HundredDohNet, blob: Tensor) -> None:
    assert not [module for module in folded.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    after = answers(folded, blob)
    for name, before in answers(network, blob).items():
        error = (after[name] - before).abs().max() / before.abs().max()
        assert error < 1e-5, name


def test_folding_again_changes_nothing_at_all(folded: HundredDohNet) -> None:
    twice = copy.deepcopy(folded)
    fold_batch_norm(twice)
    assert twice.state_dict().keys() == folded.state_dict().keys()
    assert all(torch.equal(tensor, folded.state_dict()[key]) for key, tensor in twice.state_dict().items())


def test_directions_have_length_a_tenth(network: HundredDohNet, blob: Tensor) -> None:
    regions = torch.tensor([[0.0, 10, 5, 120, 40], [0, 200, 0, 399, 47]])
    with torch.inference_mode():
        features = network.features(blob)
        states, offsets = network.contacts(features, regions, 48, 400)
        wider = torch.tensor([[0.0, 0, 0, 48, 50.5], [0, 140.3, 0, 48, 61.1]])  # x2 is held by the height
        seen = network.region_features(features, wider)
        magnitude, *direction = network.extension_layer.hand_dydx_layer(seen).unbind(dim=1)
        expected = network.extension_layer.hand_contact_state_layer(seen)
    torch.testing.assert_close(offsets[:, 1:].norm(dim=1), torch.full((2,), 0.1))
    torch.testing.assert_close(offsets[:, 0], magnitude, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(offsets[:, 2] / offsets[:, 1], direction[1] / direction[0], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(states, expected, rtol=1e-4, atol=1e-4)
