"""Changes of colour for whole batches, each image with its own amounts in its own order (spec: section 10).

What torchvision's `adjust_brightness`, `_contrast`, `_saturation` and `_hue` do to one image.
"""

from __future__ import annotations

import torch
from torch import Tensor

from simhand.pretraining.colour import hue_chroma_value, to_rgb

COLOUR_CHANGES = ("brightness", "contrast", "saturation", "hue")
_RED, _GREEN, _BLUE = 0.299, 0.587, 0.114  # in grey


def recolour(images: Tensor, order: Tensor, amounts: Tensor) -> Tensor:
    """Images with their colours changed, step by step.

    Args:
        images: (B, 3, H, W) RGB in 0..1; overwritten.
        order: int64 (B, c), on the CPU: each image's changes in their order, as places in COLOUR_CHANGES.
        amounts: (B, c), on the CPU, by place: factors; of hue a shift in turns.
    """
    for step in range(order.shape[1]):
        for place, name in enumerate(COLOUR_CHANGES):
            rows = (order[:, step] == place).nonzero().flatten()
            if len(rows):
                there = rows.to(images.device, non_blocking=True)
                amount = amounts[rows, place].to(images.device, non_blocking=True).view(-1, 1, 1, 1)
                images[there] = _CHANGES[name](images[there], amount).clamp_(0, 1)
    return images


def _brightness(images: Tensor, factor: Tensor) -> Tensor:
    return images * factor


def _contrast(images: Tensor, factor: Tensor) -> Tensor:
    return torch.lerp(_grey(images).mean(dim=(2, 3), keepdim=True), images, factor)


def _saturation(images: Tensor, factor: Tensor) -> Tensor:
    return torch.lerp(_grey(images), images, factor)


def _hue(images: Tensor, turns: Tensor) -> Tensor:
    hue, chroma, value = hue_chroma_value(images)
    return to_rgb((hue + 6 * turns.squeeze(1)).remainder(6), chroma, value)


def _grey(images: Tensor) -> Tensor:
    """(B, 1, H, W) of (B, 3, H, W)."""
    red, green, blue = images.split(1, dim=1)
    return _RED * red + _GREEN * green + _BLUE * blue


_CHANGES = {"brightness": _brightness, "contrast": _contrast, "saturation": _saturation, "hue": _hue}
