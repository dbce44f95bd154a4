"""Colour jitter in HSV, in batches on any device."""

from __future__ import annotations

import torch
from torch import Tensor


def rgb_to_hsv(rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(n, 3, h, w) in [0, 1] to hue in sixths of a turn [0, 6), saturation and value in [0, 1], each (n, h, w)."""
    red, green, blue = rgb.unbind(dim=1)
    value = rgb.amax(dim=1)
    chroma = value - rgb.amin(dim=1)
    divisor = chroma.clamp_min(1e-12)  # grey has hue 0
    warm = torch.remainder((green - blue) / divisor, 6)
    cold = torch.where(value == green, (blue - red) / divisor + 2, (red - green) / divisor + 4)
    return torch.where(value == red, warm, cold), chroma / value.clamp_min(1e-12), value


def hsv_to_rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """The inverse of `rgb_to_hsv`: (n, 3, h, w)."""
    corner = torch.tensor([5.0, 3.0, 1.0], device=hue.device).view(1, 3, 1, 1)
    turn = torch.remainder(corner + hue.unsqueeze(1), 6)  # (n, 3, h, w)
    faded = torch.minimum(turn, 4 - turn).clamp(0, 1)  # what of the chroma each channel lacks
    return value.unsqueeze(1) - (value * saturation).unsqueeze(1) * faded


def jitter_colour(rgb: Tensor, hue: Tensor, saturation: Tensor, value: Tensor, value_shift: Tensor) -> Tensor:
    """Multiplies hue, saturation and value by factors and shifts the value; saturation and value are clipped (spec 3).

    Args:
        rgb: (n, 3, h, w) in [0, 1].
        hue: (n,), factor, at most 1.
        saturation: (n,), factor.
        value: (n,), factor.
        value_shift: (n,), of 255.

    Returns:
        (n, 3, h, w) in [0, 1].
    """
    h, s, v = rgb_to_hsv(rgb)
    hue, saturation, value, value_shift = (each.view(-1, 1, 1) for each in (hue, saturation, value, value_shift))
    return hsv_to_rgb(h * hue, (s * saturation).clamp(0, 1), (v * value + value_shift / 255).clamp(0, 1))
