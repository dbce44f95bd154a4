"""One step: embedded in parts it has the gradient of the whole batch, and counts every image once."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from simhand.pretraining.augment import Views
from simhand.pretraining.crops import Pair
from simhand.pretraining.encoder import ContrastiveModel, build_model
from simhand.pretraining.settings import PretrainingSettings
from simhand.pretraining.step import Step, batch_views

MakeSettings = Callable[..., PretrainingSettings]
PAIRS = 7


def views_of(settings: PretrainingSettings) -> Views:
    random = torch.Generator().manual_seed(1)
    crops = torch.randint(0, 256, (PAIRS, 2, 3, 48, 48), generator=random, dtype=torch.uint8)
    views = batch_views(
        Pair(torch.arange(PAIRS), crops, torch.rand(PAIRS, 2, 21, 2, generator=random) * 48), settings, 0
    )
    return replace(views, **{name: value.double() for name, value in vars(views).items()})


def trained(settings: PretrainingSettings, model: ContrastiveModel) -> tuple[torch.Tensor, ContrastiveModel]:
    """The loss, and a copy of the model with its gradients."""
    model = copy.deepcopy(model)
    return Step(model, settings).backward(views_of(settings)), model


@pytest.mark.parametrize("micro_batch", [1, 3, 6])
@pytest.mark.parametrize("weighting", ["none", "linear"])
def test_parts_have_the_gradient_of_the_whole(small_settings: MakeSettings, micro_batch: int, weighting: str) -> None:
    plain = small_settings(weighting=weighting)
    model = build_model(plain).double().eval()  # batch statistics held fixed
    expected_loss, expected = trained(plain, model)
    loss, found = trained(small_settings(weighting=weighting, micro_batch=micro_batch), model)
    torch.testing.assert_close(loss, expected_loss, rtol=1e-12, atol=0)
    for one, other in zip(found.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-9, atol=1e-12)


def test_live_batch_norm_sees_parts_and_counts_each_image_once(small_settings: MakeSettings) -> None:
    settings = small_settings(micro_batch=3)
    model = build_model(settings).double().train()
    loss, found = trained(settings, model)
    seen = copy.deepcopy(model)
    for part in views_of(settings).images.tensor_split(3):
        seen(part)
    torch.testing.assert_close(dict(found.named_buffers()), dict(seen.named_buffers()))
    whole_loss, _ = trained(small_settings(), model)
    assert loss != pytest.approx(whole_loss.item(), rel=1e-6)  # documented: statistics of a part are not the batch's


def test_a_part_as_large_as_the_batch_is_the_batch(small_settings: MakeSettings) -> None:
    model = build_model(small_settings()).double().train()
    expected_loss, expected = trained(small_settings(), model)
    loss, found = trained(small_settings(micro_batch=PAIRS), model)
    assert loss == expected_loss
    assert all(
        torch.equal(one.grad, other.grad) for one, other in zip(found.parameters(), expected.parameters(), strict=True)
    )
