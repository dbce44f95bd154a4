"""Colour jitter in HSV, in batches on any device.

Written for few passes over memory and no choice between branches, which is what takes the time on a CPU: with M and m
the largest and smallest of red, green and blue, and C = M - m, the hue in sixths of a turn is 3 - sign(G - B) (2 - (G +
B - R - m) / C), and the channels are V - C clamp(2 - |H - 3|), V - C clamp(|H - 2| - 1) and V - C clamp(|H - 4| - 1).
"""

from __future__ import annotations

import torch
from torch import Tensor


def hue_chroma_value(rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue, chroma (value times saturation) and value of pixels.

    Args:
        rgb: (n, 3, h, w), in levels up to 255.

    Returns:
        Hue in sixths of a turn [0, 6], of grey 1; chroma and value in levels. Each (n, h, w).
    """
    red, green, blue = rgb.unbind(dim=1)
    value = torch.maximum(green, blue)
    least = torch.minimum(green, blue)
    value, least = torch.maximum(value, red, out=value), torch.minimum(least, red, out=least)
    from_cyan = (green + blue).sub_(red).sub_(least)
    chroma = value - least
    from_cyan.div_(chroma.clamp_min(1e-6)).neg_().add_(2).copysign_(torch.sub(green, blue, out=least))
    return from_cyan.neg_().add_(3), chroma, value


def to_rgb(hue: Tensor, chroma: Tensor, value: Tensor) -> Tensor:
    """The inverse of `hue_chroma_value`, hues beyond a full turn being red: (n, 3, h, w)."""
    rgb = hue.new_empty((len(hue), 3, *hue.shape[1:]))
    floor, ceiling = value - 2 * chroma, value + chroma
    for channel, (base, opposite, sign) in enumerate([(floor, 3, 1), (ceiling, 2, -1), (ceiling, 4, -1)]):
        distance = (hue - opposite).abs_().clamp_(1, 2)
        torch.addcmul(base, chroma, distance, value=sign, out=rgb[:, channel])
    return rgb


def jitter_colour(rgb: Tensor, hue: Tensor, saturation: Tensor, value: Tensor, value_shift: Tensor) -> Tensor:
    """Multiplies hue, saturation and value by factors and shifts the value; all three are clipped (spec 3).

    Args:
        rgb: (n, 3, h, w), in levels up to 255.
        hue: (n,), factor.
        saturation: (n,), factor.
        value: (n,), factor.
        value_shift: (n,), levels.

    Returns:
        (n, 3, h, w), in levels up to 255.
    """
    h, c, v = hue_chroma_value(rgb)
    hue, saturation, value, value_shift = (each.view(-1, 1, 1) for each in (hue, saturation, value, value_shift))
    s = c.div_(v.clamp_min(1e-6)).mul_(saturation).clamp_(0, 1)
    v = v.mul_(value).add_(value_shift).clamp_(0, 255)
    return to_rgb(h.mul_(hue), s.mul_(v), v)
