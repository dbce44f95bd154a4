"""The official colour jitter in OpenCV's 8-bit HSV (spec 3), in batches on any device.

Hue counts to 180, each step is rounded as OpenCV does, and the first channel is taken for blue although it is red.
"""

from __future__ import annotations

import torch
from torch import Tensor

_SHIFT = 12  # bits after the point in OpenCV's tables of reciprocals
_HALF = 1 << (_SHIFT - 1)


def bgr_to_hsv(images: Tensor) -> Tensor:
    """`cvtColor(COLOR_BGR2HSV)` of uint8 (n, 3, h, w): int32 (n, 3, h, w), hue below 180, the others up to 255."""
    blue, green, red = images.int().unbind(dim=1)
    value = torch.maximum(torch.maximum(blue, green), red)
    span = value - torch.minimum(torch.minimum(blue, green), red)
    cold = torch.where(value == green, blue - red + 2 * span, red - green + 4 * span)
    sixths = torch.where(value == red, green - blue, cold)
    hue = (sixths * _table(180 / 6, images.device)[span] + _HALF) >> _SHIFT
    saturation = (span * _table(255, images.device)[value] + _HALF) >> _SHIFT
    return torch.stack([hue + 180 * (hue < 0), saturation, value], dim=1)


def _table(numerator: float, device: torch.device) -> Tensor:
    """The numerator divided by 0 to 255, with 12 bits after the point; divided by 0 it is 0."""
    divisors = torch.arange(256, dtype=torch.float64, device=device)
    return torch.where(divisors > 0, (numerator * 2**_SHIFT / divisors.clamp_min(1)).round(), 0).int()


def hsv_to_bgr(hsv: Tensor) -> Tensor:
    """`cvtColor(COLOR_HSV2BGR)` of whole numbers (n, 3, h, w): uint8 (n, 3, h, w)."""
    hue, saturation, value = hsv.float().unbind(dim=1)
    turn, saturation, value = hue * (6 / 180), saturation * (1 / 255), value * (1 / 255)
    lacking = [  # what of the chroma each channel lacks
        torch.maximum(3 - turn, turn - 5),
        torch.maximum(1 - turn, turn - 3),
        torch.minimum(turn - 1, 5 - turn),
    ]
    parts = [value * (1 - saturation * each.clamp(0, 1)) for each in lacking]
    return (torch.stack(parts, dim=1) * 255).to(torch.uint8)  # truncated, as OpenCV's vector code does


def jitter_hsv(images: Tensor, factors: Tensor) -> Tensor:
    """Multiplies hue, saturation and value by factors, shifts the value, clips all at 255 and drops what is no level.

    Args:
        images: uint8 (n, 3, h, w), RGB; read as BGR, as the official code does.
        factors: (n, 4), of hue (at most 1), saturation and value, and what is added to the value.

    Returns:
        uint8 (n, 3, h, w).
    """
    factors = factors.double()
    scale, shift = factors[:, :3, None, None], torch.zeros_like(factors[:, :3, None, None])
    shift[:, 2, 0, 0] = factors[:, 3]
    return hsv_to_bgr((bgr_to_hsv(images) * scale + shift).clamp(0, 255).floor())
