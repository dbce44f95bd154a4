"""Changes of colour in batches, against torchvision's of one image."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torchvision.transforms.v2 import functional

from simhand.finetuning.colours import COLOUR_CHANGES, recolour

OF_TORCHVISION = {
    "brightness": functional.adjust_brightness,
    "contrast": functional.adjust_contrast,
    "saturation": functional.adjust_saturation,
    "hue": functional.adjust_hue,
}


def changed(image: Tensor, places: list[int], amounts: list[float]) -> Tensor:
    for place in places:
        image = OF_TORCHVISION[COLOUR_CHANGES[place]](image, amounts[place])
    return image


@given(st.integers(0, 10_000))
def test_a_batch_is_changed_as_torchvision_changes_each_image(seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    images = torch.rand(5, 3, 4, 6, generator=random)
    images[0], images[1, 1:] = 0.4, 0.0  # grey; pure red
    order = torch.stack([torch.randperm(4, generator=random) for _ in range(5)])
    amounts = torch.rand(5, 4, generator=random) + 0.5
    amounts[:, 3] = (amounts[:, 3] - 1) * 0.3
    expected = torch.stack(list(map(changed, images, order.tolist(), amounts.tolist())))
    # torchvision's weights of grey are the rounded 0.2989, 0.587, 0.114
    torch.testing.assert_close(recolour(images.clone(), order, amounts), expected, rtol=0, atol=3e-4)


def test_no_change_leaves_images_alone() -> None:
    images = torch.rand(2, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(recolour(images.clone(), torch.empty(2, 0, dtype=torch.long), torch.empty(2, 0)), images)


@pytest.mark.parametrize(("place", "amount", "expected"), [(0, 2.0, [1.0, 0.8, 0.4]), (2, 0.0, [0.4968] * 3)])
def test_by_hand(place: int, amount: float, expected: list[float]) -> None:
    image = torch.tensor([0.8, 0.4, 0.2]).view(1, 3, 1, 1)
    amounts = torch.zeros(1, 4)
    amounts[0, place] = amount
    result = recolour(image, torch.tensor([[place]]), amounts)
    torch.testing.assert_close(result.flatten(), torch.tensor(expected), rtol=0, atol=2e-4)
